"use strict";
// The search. Without this script the page says the same; the search is then not shown.
(() => {
  const form = document.getElementById("search");
  const input = document.getElementById("words");
  const said = document.getElementById("found");
  const groups = [...document.querySelectorAll("section.group")].map((section) => ({
    section,
    parts: [...section.querySelectorAll("table")].map((table) => ({
      table,
      rows: [...table.tBodies[0].rows],
    })),
  }));
  const rows = groups.flatMap((group) => group.parts.flatMap((part) => part.rows));
  const show = (element, fits) => {
    if (element.classList.contains("left-out") === fits) {
      element.classList.toggle("left-out", !fits);
    }
  };
  const plain = (text) => text.toLowerCase().normalize("NFKC");
  const things = (number) => number + (number === 1 ? " thing" : " things");
  // Read once, when somebody begins to search.
  let texts = null;

  const search = () => {
    const words = plain(input.value).split(/\s+/).filter((word) => word !== "");
    texts ??= new Map(rows.map((row) => [row, plain(row.textContent)]));
    let found = 0;
    for (const { section, parts } of groups) {
      const before = found;
      for (const { table, rows } of parts) {
        const start = found;
        for (const row of rows) {
          const text = texts.get(row);
          const fits = words.every((word) => text.includes(word));
          found += fits ? 1 : 0;
          show(row, fits);
        }
        show(table.parentElement, found > start);
      }
      show(section, found > before);
    }
    said.textContent = words.length === 0
      ? things(rows.length)
      : found + " of " + things(rows.length) + (found === 1 ? " fits" : " fit");
  };

  form.hidden = false;
  input.addEventListener("input", search);
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      input.value = "";
      search();
    }
  });
  // A browser keeps what was typed when the page is loaded again.
  if (input.value !== "") search();

  // On paper, nothing can be opened.
  const closed = [];
  addEventListener("beforeprint", () => {
    for (const one of document.querySelectorAll("details:not([open])")) {
      one.open = true;
      closed.push(one);
    }
  });
  addEventListener("afterprint", () => {
    for (const one of closed.splice(0)) one.open = false;
  });
})();
