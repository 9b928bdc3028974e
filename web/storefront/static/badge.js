// Puts the number of things in the cart on its link. Pages are the same for everybody, so the number is asked for, by those who have a cart.

const link = document.querySelector("[data-cart]");

if (link && /(?:^|; )has_cart=1(?:;|$)/.test(document.cookie)) {
  try {
    const answer = await fetch("/cart/count");
    const count = answer.ok ? Number(await answer.text()) : 0;
    if (count > 0) {
      link.setAttribute("aria-label", count === 1 ? link.dataset.one : link.dataset.many.replace("{count}", count));
      const badge = link.querySelector("[data-count]");
      badge.textContent = count;
      badge.hidden = false;
    }
  } catch {
    // Offline: the link leads to the cart without a number.
  }
}
