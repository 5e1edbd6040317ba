"use strict";
// Draws the pictures in the place of their tables. Colours are the style's, so that dark, light and paper need no other
// picture; the width of paper does.
(() => {
  const PAPER = 680; // px: A4 and Letter within the margins of the style
  const colour = (name) => `var(--${name})`;

  const option = ({ times, series }) => ({
    animation: false,
    textStyle: { fontFamily: "system-ui, 'Segoe UI', sans-serif", color: colour("soft") },
    grid: { left: 4, right: 12, top: 12, bottom: 4, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
    tooltip: {
      trigger: "axis",
      renderMode: "richText", // as HTML it would have styles that the page's policy forbids
      confine: true,
      axisPointer: { type: "shadow", shadowStyle: { color: colour("line"), opacity: 0.5 } },
      backgroundColor: colour("card"),
      borderColor: colour("line"),
      textStyle: { color: colour("ink"), fontSize: 12 },
      formatter: (bars) =>
        [bars[0].name, ...bars.filter((bar) => bar.value > 0).map((bar) => `${bar.seriesName}: ${bar.value}`)].join("\n"),
    },
    xAxis: {
      type: "category",
      data: times,
      axisTick: { show: false },
      axisLine: { lineStyle: { color: colour("line") } },
      axisLabel: { color: colour("soft"), hideOverlap: true },
    },
    yAxis: {
      type: "value",
      minInterval: 1,
      splitLine: { lineStyle: { color: colour("line") } },
      axisLabel: { color: colour("soft") },
    },
    series: series.map(({ name, tone, values }) => ({
      name,
      type: "bar",
      stack: "all",
      data: values,
      barMaxWidth: 48,
      barCategoryGap: "20%",
      itemStyle: { color: colour(tone) },
      emphasis: { disabled: true }, // it would be a lighter colour, which is not known here
    })),
  });

  const pictures = JSON.parse(document.getElementById("pictures").textContent);
  const drawn = [...document.querySelectorAll("[data-picture]")].map((place) => {
    place.parentElement.hidden = false;
    const chart = charts.init(place, null, { renderer: "svg" });
    chart.setOption(option(pictures[Number(place.dataset.picture)]));
    place.closest("figure").querySelector("details").open = false;
    return chart;
  });
  const resize = (size) =>
    drawn.forEach((chart) => {
      chart.resize(size);
      chart.getZr().flush(); // paper does not wait for the next frame
    });
  addEventListener("resize", () => resize());
  addEventListener("beforeprint", () => resize({ width: PAPER }));
  addEventListener("afterprint", () => resize({ width: "auto" }));
})();
