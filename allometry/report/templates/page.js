"use strict";
for (const box of document.querySelectorAll(".table")) {
  const table = box.querySelector("table"), body = table.tBodies[0], rows = [...body.rows];
  const search = box.querySelector("[data-filter]"), selects = [...box.querySelectorAll("select")];
  const said = box.querySelector("output"), save = box.querySelector("[data-save]");
  const value = (row, column) => {
    const text = row.cells[column].textContent.trim();
    const number = Number(text.replaceAll(",", "").replace("−", "-").replace(/ .*/, ""));
    return text !== "" && Number.isFinite(number) ? number : text.toLowerCase();
  };
  const order = (a, b) => a === "" ? 1 : b === "" ? -1
    : typeof a === typeof b ? (a < b ? -1 : a > b ? 1 : 0) : typeof a === "number" ? -1 : 1;
  if (rows.length > 1) for (const head of table.tHead.rows[0].cells) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
      for (const other of table.tHead.rows[0].cells) other.setAttribute("aria-sort", "none");
      head.setAttribute("aria-sort", down > 0 ? "ascending" : "descending");
      const keyed = rows.map((row, place) => [value(row, head.cellIndex), place, row]);
      // what is missing stays at the end, whichever way
      keyed.sort((a, b) => (a[0] === "" || b[0] === "" ? order(a[0], b[0]) : down * order(a[0], b[0])) || a[1] - b[1]);
      body.append(...keyed.map((entry) => entry[2]));
    });
  }
  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const row of rows) {
      const text = words.length ? row.textContent.toLowerCase() : "";
      row.hidden = !(words.every((word) => text.includes(word)) && selects.every((one) =>
        one.value === "" || row.cells[one.dataset.column].textContent.replace(/^[▲=▼?≈≠] /, "") === one.value));
      count += !row.hidden;
    }
    said.textContent = count === rows.length ? `${count.toLocaleString("en")} rows` : `${count.toLocaleString("en")} of ${rows.length.toLocaleString("en")} rows`;
    save.hidden = count === rows.length;
  };
  if (search) {
    box.querySelector(".filters").hidden = false;
    search.addEventListener("input", filter);
    for (const one of selects) one.addEventListener("change", filter);
    save.addEventListener("click", () => {
      const quoted = (text) => /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
      const lines = [table.tHead.rows[0], ...[...body.rows].filter((row) => !row.hidden)]
        .map((row) => [...row.cells].map((cell) => quoted(cell.textContent.trim())).join(","));
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([lines.join("\n") + "\n"], { type: "text/csv" }));
      link.download = save.dataset.save;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    });
  }
}
const menu = document.querySelector("nav details");
if (menu && matchMedia("(max-width: 1179px)").matches) menu.open = false;
