// Keeps price, stock and pictures in step with what is chosen on a product page. The page works without it.

const form = document.querySelector("[data-buy]");
let latest = 0;

settle();

form?.addEventListener("change", async (event) => {
  if (!event.target.matches("[data-choice]")) return;
  const chosen = [...form.querySelectorAll("[data-choice]:checked")].map((input) => [input.name, input.value]);
  const address = `${form.dataset.buy}?${new URLSearchParams(chosen)}`;
  const turn = ++latest;
  try {
    const response = await fetch(address, { headers: { accept: "text/html" } });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    // A later choice has overtaken this one, or the answer is no product page: what is shown stays.
    if (!response.ok || turn !== latest) return;
    show(page);
    history.replaceState(null, "", address);
  } catch {
    // Offline: the choice still counts, the server has the last word on its price.
  }
});

function show(page) {
  const focused = document.activeElement;
  for (const part of document.querySelectorAll("[data-live]")) {
    const fresh = page.querySelector(`[data-live="${part.dataset.live}"]`);
    if (fresh && fresh.innerHTML !== part.innerHTML) part.innerHTML = fresh.innerHTML;
  }
  settle();
  // Whoever has gone on meanwhile is left where they are.
  if (!focused.isConnected && focused.id) document.getElementById(focused.id)?.focus({ preventScroll: true });
}

// Shuts the button while the choice cannot be had.
function settle() {
  const button = form?.querySelector("[data-add]");
  if (button) button.disabled = form.querySelector(".state.out") !== null;
}

form?.addEventListener("click", (event) => {
  const button = event.target.closest("[data-step]");
  if (!button) return;
  event.preventDefault();
  const quantity = form.elements.quantity;
  if (button.dataset.step === "1") quantity.stepUp();
  else quantity.stepDown();
});
