// The cart without leaving the page: putting something in opens a drawer, quantities change where they stand. htmx sends the same forms and
// puts the answer in its place. Here is what it does not know: the dialogue, where the focus goes, what is said aloud, the number on the
// link to the cart. The pages work without it.

const drawer = document.getElementById("drawer");

document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => busy(ctx, true));
document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => busy(ctx, false));

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
