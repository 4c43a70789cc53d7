// Buttons with `data-copy` copy the text of the element that the attribute names, and say so.
"use strict";

for (const button of document.querySelectorAll("button[data-copy]")) {
  button.hidden = false; // without script there is nothing that could copy
  button.addEventListener("click", async () => {
    const text = document.getElementById(button.dataset.copy).textContent.trim();
    const said = button.textContent;
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Select and copy by hand";
    }
    setTimeout(() => (button.textContent = said), 2000);
  });
}
