"use strict";
// Adds filters to the list of flagged flows. The page says the same without it.
(() => {
  const form = document.getElementById("filters");
  const rows = [...document.getElementById("rows").rows];
  const selects = [...form.querySelectorAll("select")];
  const text = form.elements.text;
  const told = form.querySelector("output");
  for (const select of selects) {
    const values = new Map();
    for (const row of rows) {
      const value = row.dataset[select.name];
      values.set(value, (values.get(value) || 0) + 1);
    }
    for (const [value, count] of values) {
      select.add(new Option(`${value} (${count})`, value));
    }
    select.parentElement.hidden = values.size < 2;
  }
  const apply = () => {
    const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const content = row.textContent.toLowerCase();
      const fits = selects.every((select) => !select.value || row.dataset[select.name] === select.value) &&
        words.every((word) => content.includes(word));
      row.hidden = !fits;
      shown += fits ? 1 : 0;
    }
    told.textContent = shown === rows.length ? `${shown} rows` : `${shown} of ${rows.length} rows`;
  };
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  apply();
  const closed = [];
  addEventListener("beforeprint", () => {
    for (const details of document.querySelectorAll("details:not([open])")) {
      details.open = true;
      closed.push(details);
    }
  });
  addEventListener("afterprint", () => {
    for (const details of closed.splice(0)) details.open = false;
  });
})();
