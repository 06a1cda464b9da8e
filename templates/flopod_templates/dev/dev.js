// The bar of `flopod dev`: follows the session, and shows pages anew when there is another build.
const bar = () => document.getElementById("dev");

async function refresh() {
  const answer = await fetch("/ui/dev/bar");
  if (!answer.ok || !bar()) return;
  const before = bar().dataset.starts;
  const open = bar().contains(document.activeElement) && document.activeElement.textContent;
  bar().outerHTML = await answer.text();
  if (open) [...bar().querySelectorAll("button")].find((each) => each.textContent === open)?.focus();
  if (bar().dataset.starts !== before && !isEditing()) location.reload();
}

function isEditing() {
  const forms = [...document.querySelectorAll("main form")];
  return forms.some((form) => [...form.elements].some((field) => field.value !== undefined && field.defaultValue !== undefined && field.value !== field.defaultValue));
}

document.addEventListener("submit", async (event) => {
  if (!event.target.closest("#dev")) return;
  event.preventDefault();
  await fetch(event.target.action, { method: "POST", headers: { "Content-Type": "application/x-www-form-urlencoded" } });
  refresh();
});

new EventSource("/ui/dev/events").onmessage = refresh;
