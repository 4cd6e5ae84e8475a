// Ctrl+Enter extracts; graphs are drawn when they appear on the page.

addEventListener("keydown", event => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.closest("#text"))
    document.querySelector("#extract").click();
});

function drawGraphs() {
  for (const container of document.querySelectorAll(".hf-spo-graph:empty")) {
    // Without zooming and panning, the wheel and a finger scroll the page.
    const options = { boxes: true, userZoomingEnabled: false, userPanningEnabled: false };
    const drawn = drawGraph(container, JSON.parse(container.dataset.graph), options);
    new ResizeObserver(() => { drawn.resize(); fitGraph(drawn); }).observe(container);
  }
}
new MutationObserver(drawGraphs).observe(document, { childList: true, subtree: true });
