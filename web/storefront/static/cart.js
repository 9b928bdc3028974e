// The cart without leaving the page: putting something in opens a drawer, quantities change where they stand. htmx sends the same forms and
// puts the answer in its place. Here is what it does not know: the dialogue, where the focus goes, what is said aloud, the number on the
// link to the cart. The pages work without it.

const drawer = document.getElementById("drawer");

let waiting = 0;

// Pressed again before the answer is there, a step goes on from where the one before will lead.
document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
  if (!isChange(ctx)) return;
  waiting++;
  const step = { more: 1, less: -1 }[ctx.request.submitter?.name];
  const quantity = ctx.sourceElement.elements.quantity;
  if (step) quantity.value = Math.max(Number(quantity.value) + step, 0);
});
document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => busy(ctx, true));
// Only the last of several answers is shown: it holds what all of them changed.
document.addEventListener("htmx:before:swap", (event) => {
  if (isChange(event.detail.ctx) && waiting > 1) event.preventDefault();
});
document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
  busy(ctx, false);
  if (isChange(ctx)) waiting--;
});

document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  const cart = (drawer ?? document).querySelector("[data-cart-now]");
  const isCart = ctx.target?.id === "drawer-in" || ctx.target?.id === "cart";
  if (!cart || !isCart || ctx.hx?.retarget) return;
  if (drawer && !drawer.open) {
    document.querySelector("[data-refused]")?.replaceChildren();
    drawer.showModal();
  } else {
    // The dialogue reads out what it opens with; later changes are said.
    document.querySelector(drawer ? "#drawer [data-say]" : "main [data-say]").textContent = cart.dataset.announce;
  }
  // What was pressed may be gone.
  const active = document.activeElement;
  if (active === document.body || active === drawer || active?.disabled) refuge(ctx)?.focus({ preventScroll: true });
  const units = Number(cart.dataset.cartNow);
  for (const place of document.querySelectorAll("[data-units]")) place.textContent = units;
  document.dispatchEvent(new CustomEvent("cart:changed", { detail: units }));
});

drawer?.addEventListener("click", (event) => {
  if (event.target === drawer) drawer.close();
});

// The line that was changed if it is still there, else what says how the cart stands.
function refuge(ctx) {
  const line = ctx.request?.action?.split("/").at(-1);
  return document.getElementById(`q-${line}`) ?? (drawer ?? document).querySelector("[data-refuge], [data-cart-now] a");
}

function isChange(ctx) {
  return ctx.request.action.startsWith("/cart/lines/");
}

function busy(ctx, isBusy) {
  const button = ctx.request?.submitter;
  if (isBusy) button?.setAttribute("aria-busy", "true");
  else button?.removeAttribute("aria-busy");
}

// Sent the plain way the form says what is wrong; whoever is offline sees that the browser is.
for (const failure of ["htmx:response:error", "htmx:error"]) {
  document.addEventListener(failure, ({ detail: { ctx } }) => {
    const status = ctx?.response?.status;
    if (!ctx?.request || status === 409 || status === 422) return;
    location.assign(ctx.target?.id === "cart" || status ? "/cart" : location.href);
  });
}
