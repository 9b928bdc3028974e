// Puts the number of things in the cart on its link. Pages are the same for everybody, so the number is asked for, by those who have a cart.

const link = document.querySelector("[data-cart]");
const badge = link?.querySelector("[data-count]");

// The page may know it itself.
if (link && badge.textContent === "" && /(?:^|; )has_cart=1(?:;|$)/.test(document.cookie)) {
  try {
    const answer = await fetch("/cart/count");
    show(answer.ok ? Number(await answer.text()) : 0);
  } catch {
    // Offline: the link leads to the cart without a number.
  }
}

document.addEventListener("cart:changed", (event) => link && show(event.detail));

function show(count) {
  link.setAttribute("aria-label", count === 1 ? link.dataset.one : link.dataset.many.replace("{count}", count));
  badge.textContent = count;
  badge.hidden = count === 0;
}
