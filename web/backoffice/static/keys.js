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

// Unfolded choices fold again when one turns elsewhere.
const folds = 'details.drop[open]';
addEventListener('click', (event) => { for (const fold of all(folds)) if (!fold.contains(event.target)) fold.open = false; });
addEventListener('keydown', (event) => {
  const fold = event.key === 'Escape' && event.target.closest?.(folds);
  if (fold) { fold.open = false; fold.querySelector('summary').focus(); }
});

// One field for everything; without a script it has a page of its own. The list below it is a listbox that the field works: what is chosen is
// said by aria-activedescendant, the focus stays where one types.
const palette = here('palette');
if (palette) {
  const field = palette.querySelector('[role=combobox]');
  const list = document.getElementById('found');
  const told = palette.querySelector('[role=status]');
  const first = list.innerHTML;
  let shown = '';
  let asked = null;
  const options = () => all('[role=option]', list);
  const chosen = () => document.getElementById(field.getAttribute('aria-activedescendant'));
  const choose = (option) => {
    chosen()?.setAttribute('aria-selected', 'false');
    if (!option) { field.removeAttribute('aria-activedescendant'); return; }
    option.setAttribute('aria-selected', 'true');
    option.scrollIntoView({ block: 'nearest' });
    field.setAttribute('aria-activedescendant', option.id);
  };
  const put = (html, text) => {
    list.innerHTML = html;
    // An icon the page has already is not needed twice.
    for (const symbol of all('symbol', list)) if (document.getElementById(symbol.id) === symbol) document.querySelector('body > svg[hidden]').append(symbol);
    all('svg[hidden]', list).forEach((sprite) => sprite.remove());
    told.textContent = list.querySelector('[data-told]')?.dataset.told ?? '';
    shown = text;
    field.setAttribute('aria-expanded', String(options().length > 0));
    choose(text ? options()[0] : null);
  };
  const look = async () => {
    const text = field.value.trim();
    asked?.abort();
    if (!text) { put(first, ''); return; }
    asked = new AbortController();
    try {
      const answer = await fetch(`/backoffice/search?part=palette&q=${encodeURIComponent(text)}`, { signal: asked.signal, headers: { accept: 'text/html' } });
      // Signed out meanwhile, or refused: Enter leads to the page, which says so.
      if (answer.ok && !answer.redirected && field.value.trim() === text) put(await answer.text(), text);
    } catch { /* A newer text is looked for, or there is no connection: the page is one Enter away. */ }
  };
  let soon;
  field.addEventListener('input', () => { clearTimeout(soon); soon = setTimeout(look, 120); });
  field.addEventListener('keydown', (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      const hits = options();
      const at = hits.indexOf(chosen());
      if (hits.length) choose(hits[at < 0 && step < 0 ? hits.length - 1 : (at + step + hits.length) % hits.length]);
    }
    // What is chosen is opened only if it is of what is typed now.
    if (event.key === 'Enter' && chosen() && field.value.trim() === shown) {
      event.preventDefault();
      if (event.ctrlKey || event.metaKey) open(chosen().href, '_blank', 'noopener'); else chosen().click();
    }
  });
  list.addEventListener('pointermove', (event) => { const option = event.target.closest('[role=option]'); if (option && option !== chosen()) choose(option); });
  palette.addEventListener('click', (event) => { if (event.target.closest('[role=option]')) palette.close(); else if (event.target === palette) palette.close(); });
  palette.addEventListener('close', () => { asked?.abort(); field.value = ''; put(first, ''); });
  for (const way of all('[data-palette]')) way.addEventListener('click', (event) => { if (!event.ctrlKey && !event.metaKey) { event.preventDefault(); document.getElementById('side')?.hidePopover(); show(palette); } });
}

// Unsaved fields are guarded and told in a bar; a second click sends nothing twice.
const fields = (form) => [...form.elements].filter((field) => field.name && field.type !== 'hidden' && field.type !== 'submit' && !field.closest('.savebar'));
const isChanged = (field) => /checkbox|radio/.test(field.type) ? field.checked !== field.defaultChecked
  : field.tagName === 'SELECT' ? field.selectedIndex !== Math.max(0, [...field.options].findIndex((option) => option.defaultSelected))
    : field.value !== field.defaultValue;
const changes = (form) => fields(form).filter(isChanged);
const changed = (form) => changes(form).length > 0;
const guarded = all('form[data-guard]');
const bar = document.getElementById('unsaved');
const tell = () => {
  if (!bar) return;
  const open = guarded.filter((form) => form.dataset.guard && changed(form));
  bar.hidden = open.length === 0;
  if (bar.hidden) return;
  const number = open.reduce((sum, form) => sum + changes(form).length, 0);
  bar.querySelector('b').textContent = `${number} ${number === 1 ? 'change' : 'changes'} not saved`;
  bar.querySelector('[data-where]').textContent = open.map((form) => form.dataset.guard).join(', ');
};
addEventListener('input', (event) => { if (event.target.closest?.('form[data-guard]')) tell(); });
bar?.querySelector('[data-save]').addEventListener('click', () => guarded.find(changed)?.requestSubmit());
bar?.querySelector('[data-discard]').addEventListener('click', () => {
  for (const form of guarded.filter(changed)) { form.reset(); all('.cell', form).forEach(mark); }
  tell();
  document.getElementById('main')?.focus();
});
let leaving = false;
addEventListener('beforeunload', (event) => { if (!leaving && guarded.some(changed)) event.preventDefault(); });
addEventListener('submit', (event) => {
  if (event.defaultPrevented) return;
  if (event.target.dataset.sent) { event.preventDefault(); return; }
  const others = guarded.filter((form) => form !== event.target && changed(form));
  if (others.length && !confirm('Another part of this page has changes that are not saved. Go on and lose them?')) { event.preventDefault(); return; }
  event.target.dataset.sent = 'yes'; leaving = true;
  event.submitter?.setAttribute('aria-busy', 'true');
});
addEventListener('pageshow', () => { leaving = false; for (const form of all('form[data-sent]')) { delete form.dataset.sent; all('[aria-busy]', form).forEach((b) => b.removeAttribute('aria-busy')); } tell(); });

// A cell says that it is changed; Enter moves down, Esc puts back.
function mark(cell) { const field = cell.querySelector('input:not([type=hidden])'); if (field) cell.classList.toggle('dirty', field.value !== (cell.querySelector('[type=hidden]')?.value ?? field.defaultValue)); }
addEventListener('input', (event) => { const cell = event.target.closest('.cell'); if (cell) mark(cell); });
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
    const form = event.target.closest?.('form[data-guard]') ?? guarded.find(changed);
    if (form) { event.preventDefault(); form.requestSubmit(); }
    return;
  }
  if ((event.ctrlKey || event.metaKey) && key === 'k') {
    if (palette && !document.querySelector('dialog:modal')) { event.preventDefault(); show(palette); }
    return;
  }
  if (event.ctrlKey && key === 'enter') { event.target.closest?.('form:not([role=search])')?.requestSubmit(); return; }
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest('input:not([type=checkbox]), textarea, select, dialog')) return;
  const places = { t: '/backoffice', o: '/backoffice/orders', p: '/backoffice/products', i: '/backoffice/inventory', j: '/backoffice/jobs' };
  if (event.timeStamp - leader < 900 && places[key]) { location.href = places[key]; return; }
  leader = key === 'g' ? event.timeStamp : -Infinity;
  if (key === '/') { const search = document.querySelector('.search input'); if (search) { event.preventDefault(); search.focus(); } }
  if (key === 'c') document.getElementById('do-capture')?.click();
  if (key === '[' || key === ']') all('.pager a').find((a) => a.querySelector('kbd')?.textContent === key)?.click();
  const rows = all('.walk tbody tr'); const at = rows.findIndex((row) => row.classList.contains('here'));
  if ((key === 'j' || key === 'k') && rows.length) {
    rows[at]?.classList.remove('here');
    const row = rows[Math.max(0, Math.min(rows.length - 1, at + (key === 'j' ? 1 : -1)))];
    row.classList.add('here'); row.scrollIntoView({ block: 'nearest' }); row.querySelector('.key')?.focus();
  }
});
