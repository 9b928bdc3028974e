// Filters, order and parts of a list without leaving the page: htmx asks for the same addresses and puts the new list in the place of the
// old one. Here is what it does not know: what stays open, where the focus goes, what is said aloud. The page works without it.

let asked;

// Fields that ask for nothing do not belong into an address.
document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
  const fields = ctx.request.body;
  for (const [name, value] of [...fields]) if (value === "" || (name === "sort" && value === "featured")) fields.delete(name);
});

document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
  asked = ctx.sourceElement;
});

// What stood open stays open, and what is being typed is not lost.
document.addEventListener("htmx:before:swap", ({ detail: { tasks } }) => {
  const open = new Map([...document.querySelectorAll("#listing [data-keep]")].map((part) => [part.dataset.keep, part.open]));
  const typed = document.activeElement?.closest("#filter input.input");
  for (const { fragment } of tasks) {
    for (const part of fragment.querySelectorAll("[data-keep]")) part.open = open.get(part.dataset.keep) ?? part.open;
    const field = typed && fragment.querySelector(`#filter [name="${typed.name}"]`);
    if (field) field.value = typed.value;
  }
});

document.addEventListener("htmx:after:swap", () => {
  const list = document.getElementById("listing");
  const result = document.getElementById("result");
  if (!list || !result) return;
  document.querySelector("[data-say]").textContent = result.textContent;
  // What was pressed is gone, or stands for something else now: on from the list it led to.
  if (asked?.closest(".pager")) document.getElementById("products").focus({ preventScroll: true });
  else if (document.activeElement === document.body) result.focus({ preventScroll: true });
});

// The list is as one asked for it already: what is left to do is to look at it.
document.addEventListener("submit", (event) => {
  const sheet = event.target.querySelector(".sheet[open]");
  if (!sheet || !event.submitter?.matches("[data-apply]")) return;
  sheet.open = false;
  document.getElementById("products").scrollIntoView();
}, true);

// Whatever went wrong, the browser shows it: a page that says so, or that there is no network.
document.addEventListener("htmx:response:error", ({ detail: { ctx } }) => location.assign(ctx.request.action));
document.addEventListener("htmx:error", ({ detail: { ctx } }) => ctx?.request && location.assign(ctx.request.action));
