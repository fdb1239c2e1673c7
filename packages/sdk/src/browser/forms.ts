/** What is typed into a page's forms, kept in the tab's own storage while the browser is away to sign in. */
const key = "portvakt-forms";

type Field = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;

/** Never kept: secrets, files, and what the page itself put there. */
const never = /^(?:password|file|hidden|submit|button|reset|image)$/;

const fields = (): Field[] =>
  [...document.querySelectorAll<Field>("input,textarea,select")].filter(
    ({ type, autocomplete }) => !never.test(type) && !/one-time|cc-|password/.test(autocomplete),
  );

const isChoice = (field: Field): field is HTMLInputElement => /^(?:checkbox|radio)$/.test(field.type);

/** Keeps what is typed, for this page alone. */
export function saveForms(): void {
  const values = fields().map((field) => (isChoice(field) ? field.checked : field.value));
  sessionStorage.setItem(key, JSON.stringify([location.pathname, values]));
}

/** Puts back what was kept, when this is the page and it has the same fields; forgets it in any case. */
export function restoreForms(): void {
  const kept = sessionStorage.getItem(key);
  if (kept === null) return;
  sessionStorage.removeItem(key);
  const [page, values] = JSON.parse(kept) as [string, (string | boolean)[]];
  const there = fields();
  if (page !== location.pathname || values.length !== there.length) return;
  for (const [index, field] of there.entries()) {
    const value = values[index];
    if (isChoice(field)) field.checked = value === true;
    else field.value = String(value);
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.dispatchEvent(new Event("change", { bubbles: true }));
  }
}
