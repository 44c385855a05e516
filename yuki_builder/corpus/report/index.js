"use strict";
for (const input of document.querySelectorAll(".find")) {
  const rows = [...document.getElementById(input.dataset.table).tBodies[0].rows];
  const names = rows.map((row) => row.cells[0].textContent.toLowerCase());
  const count = document.querySelector(`[data-count="${input.dataset.table}"]`);
  input.addEventListener("input", () => {
    const wanted = input.value.toLowerCase();
    let shown = 0;
    rows.forEach((row, k) => {
      row.hidden = !names[k].includes(wanted);
      shown += !row.hidden;
    });
    count.textContent = wanted ? `${shown} of ${rows.length}` : "";
  });
}
for (const table of document.querySelectorAll("table.index[id]")) {
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    head.firstChild.addEventListener("click", () => {
      const before = head.getAttribute("aria-sort");
      const up = column ? before === "descending" : before !== "ascending"; // names from A, numbers from the largest
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const key = (row) => (column ? Number(row.cells[column].dataset.v) : row.cells[0].textContent);
      const rows = [...table.tBodies[0].rows].sort((a, b) =>
        column ? key(a) - key(b) : key(a).localeCompare(key(b), undefined, { numeric: true }));
      table.tBodies[0].append(...(up ? rows : rows.reverse()));
    });
  });
}
