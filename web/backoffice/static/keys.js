// What makes the office quicker. Every page works without it.
const all = (css, from = document) => [...from.querySelectorAll(css)];
const here = (id) => { const it = id && document.getElementById(id); return it?.tagName === 'DIALOG' ? it : null; };

// A dialog named in the address, or sent open by the server, becomes a modal one; closing it leaves the page as it is.
const show = (dialog) => { if (!dialog) return; dialog.close(); dialog.showModal(); dialog.querySelector('[aria-invalid="true"], input:not([type=hidden]), textarea')?.focus(); };
addEventListener('hashchange', () => show(here(location.hash.slice(1))));
show(here(location.hash.slice(1)) ?? document.querySelector('dialog[open]'));
for (const dialog of all('dialog')) {
  // Rewriting the address alone would leave the dialog the page's :target, and so in sight.
  dialog.addEventListener('close', () => {
    if (location.hash !== `#${dialog.id}`) return;
    location.replace('#-');
    history.replaceState(null, '', location.pathname + location.search);
  });
  for (const way of all('[data-close]', dialog)) way.addEventListener('click', (event) => { event.preventDefault(); dialog.close(); });
}

// One field for everything; without a script it has a page of its own.
for (const way of all('[data-palette]')) way.addEventListener('click', (event) => { const palette = here('palette'); if (palette && !event.ctrlKey && !event.metaKey) { event.preventDefault(); document.getElementById('side')?.hidePopover(); show(palette); } });

// Unsaved fields are guarded, a second click sends nothing twice.
const changed = (form) => all('input:not([type=hidden]), textarea, select', form).some((field) =>
  field.type === 'checkbox' ? field.checked !== field.defaultChecked
    : field.tagName === 'SELECT' ? false : field.value !== field.defaultValue);
let leaving = false;
addEventListener('beforeunload', (event) => { if (!leaving && all('form[data-guard]').some(changed)) event.preventDefault(); });
addEventListener('submit', (event) => {
  if (event.defaultPrevented) return;
  if (event.target.dataset.sent) { event.preventDefault(); return; }
  const others = all('form[data-guard]').filter((form) => form !== event.target && changed(form));
  if (others.length && !confirm('Another part of this page has changes that are not saved. Go on and lose them?')) { event.preventDefault(); return; }
  event.target.dataset.sent = 'yes'; leaving = true;
  event.submitter?.setAttribute('aria-busy', 'true');
});
addEventListener('pageshow', () => { leaving = false; for (const form of all('form[data-sent]')) { delete form.dataset.sent; all('[aria-busy]', form).forEach((b) => b.removeAttribute('aria-busy')); } });

// A cell says that it is changed; Enter moves down, Esc puts back.
addEventListener('input', (event) => { const cell = event.target.closest('.cell'); if (cell) cell.classList.toggle('dirty', event.target.value !== (cell.querySelector('[type=hidden]')?.value ?? event.target.defaultValue)); });
addEventListener('keydown', (event) => {
  const cell = event.target.closest('.cell');
  if (!cell || event.target.tagName !== 'INPUT') return;
  if (event.key === 'Escape') { event.target.value = event.target.defaultValue; event.target.dispatchEvent(new Event('input', { bubbles: true })); }
  if (event.key !== 'Enter' || event.ctrlKey) return;
  event.preventDefault();
  const rows = all('tr:has(.cell)', cell.closest('tbody')); const row = rows[rows.indexOf(cell.parentElement) + (event.shiftKey ? -1 : 1)];
  row?.children[cell.cellIndex]?.querySelector('input:not([type=hidden])')?.select();
});

// Single keys work outside of fields only.
// Long ago: the first key of a page follows no G.
let leader = -Infinity;
addEventListener('keydown', (event) => {
  const key = event.key.toLowerCase();
  if ((event.ctrlKey || event.metaKey) && key === 's') {
    const form = event.target.closest?.('form[data-guard]') ?? all('form[data-guard]').find(changed);
    if (form) { event.preventDefault(); form.requestSubmit(); }
    return;
  }
  if ((event.ctrlKey || event.metaKey) && key === 'k') {
    const palette = here('palette');
    if (palette && !document.querySelector('dialog:modal')) { event.preventDefault(); show(palette); }
    return;
  }
  if (event.ctrlKey && key === 'enter') { event.target.closest?.('form')?.requestSubmit(); return; }
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest('input:not([type=checkbox]), textarea, select, dialog')) return;
  const places = { t: '/backoffice', o: '/backoffice/orders', p: '/backoffice/products', i: '/backoffice/inventory', j: '/backoffice/jobs' };
  if (event.timeStamp - leader < 900 && places[key]) { location.href = places[key]; return; }
  leader = key === 'g' ? event.timeStamp : -Infinity;
  if (key === '/') { const field = document.querySelector('.search input'); if (field) { event.preventDefault(); field.focus(); } }
  if (key === 'c') document.getElementById('do-capture')?.click();
  if (key === '[' || key === ']') all('.pager a').find((a) => a.querySelector('kbd')?.textContent === key)?.click();
  const rows = all('.walk tbody tr'); const at = rows.findIndex((row) => row.classList.contains('here'));
  if ((key === 'j' || key === 'k') && rows.length) {
    rows[at]?.classList.remove('here');
    const row = rows[Math.max(0, Math.min(rows.length - 1, at + (key === 'j' ? 1 : -1)))];
    row.classList.add('here'); row.scrollIntoView({ block: 'nearest' }); row.querySelector('.key')?.focus();
  }
});
