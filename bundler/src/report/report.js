"use strict";
// The search. Without this script the page says the same; the search is then not shown.
(() => {
  const form = document.getElementById("search");
  const input = document.getElementById("words");
  const said = document.getElementById("found");
  const groups = [...document.querySelectorAll("section.group")].map((section) => ({
    section,
    rows: [...section.querySelectorAll("tbody > tr")],
  }));
  const rows = groups.flatMap((group) => group.rows);
  const plain = (text) => text.toLowerCase().normalize("NFKC");
  const things = (number) => number + (number === 1 ? " thing" : " things");
  // Read once, when somebody begins to search.
  let texts = null;

  const search = () => {
    const words = plain(input.value).split(/\s+/).filter((word) => word !== "");
    texts ??= new Map(rows.map((row) => [row, plain(row.textContent)]));
    let found = 0;
    for (const { section, rows } of groups) {
      let own = 0;
      for (const row of rows) {
        const text = texts.get(row);
        const fits = words.every((word) => text.includes(word));
        own += fits ? 1 : 0;
        if (row.classList.contains("left-out") === fits) {
          row.classList.toggle("left-out", !fits);
        }
      }
      section.classList.toggle("left-out", own === 0);
      found += own;
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
