// A plot over time. The library draws on a canvas; a table with the same numbers serves people who cannot see it.
import { useEffect, useRef, useState } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

export interface Series {
  readonly label: string;
  readonly color: string;
  readonly values: readonly (number | null)[];
}

const HEIGHT = 150;

/** A canvas does not follow the style sheet, so it is redrawn when the colours change. */
function useTheme(): string | undefined {
  const root = document.documentElement;
  const [theme, setTheme] = useState(root.dataset.theme);
  useEffect(() => {
    const observer = new MutationObserver(() => setTheme(root.dataset.theme));
    observer.observe(root, { attributeFilter: ["data-theme"] });
    return () => observer.disconnect();
  }, [root]);
  return theme;
}

export function Chart({
  title,
  times,
  series,
  unit = "",
}: {
  title: string;
  /** Unix milliseconds. */
  times: readonly number[];
  series: readonly Series[];
  unit?: string;
}) {
  const box = useRef<HTMLDivElement>(null);
  const theme = useTheme();
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    element.dataset.drawn = theme;
    const style = getComputedStyle(document.documentElement);
    const [soft, line] = [style.getPropertyValue("--soft"), style.getPropertyValue("--line")];
    const axis = { stroke: soft, grid: { stroke: line, width: 1 }, ticks: { stroke: line } };
    const plot = new uPlot(
      {
        width: element.clientWidth,
        height: HEIGHT,
        legend: { show: false },
        cursor: { show: false },
        scales: { y: { range: (_, _min, max) => [0, Math.max(1, max * 1.1)] } },
        axes: [{ ...axis }, { ...axis, size: 52 }],
        series: [
          {},
          ...series.map(({ label, color, values }) => ({
            label,
            stroke: color,
            width: 2,
            // A value without a neighbour has no line.
            points: { show: values.includes(null), size: 4, fill: color },
          })),
        ],
      },
      [times.map((time) => time / 1_000), ...series.map(({ values }) => [...values])] as uPlot.AlignedData,
      element,
    );
    const observer = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: HEIGHT }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      plot.destroy();
    };
  }, [times, series, theme]);
  return (
    <figure className="min-w-0 rounded-lg border border-line bg-panel p-3">
      <figcaption className="mb-2 flex flex-wrap items-center gap-x-4 gap-y-1 font-semibold">
        {title}
        {series.map(({ label, color }) => (
          <span key={label} className="flex items-center gap-1.5 text-xs font-normal text-soft">
            <span className="inline-block h-0.5 w-4" style={{ background: color }} aria-hidden="true" />
            {label}
          </span>
        ))}
      </figcaption>
      <div ref={box} aria-hidden="true" />
      <table className="sr-only">
        <caption>{title}</caption>
        <thead>
          <tr>
            <th>Minute</th>
            {series.map(({ label }) => (
              <th key={label}>{label}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {times.map((time, row) =>
            series.some(({ values }) => values[row]) ? (
              <tr key={time}>
                <td>{new Date(time).toLocaleTimeString()}</td>
                {series.map(({ label, values }) => (
                  <td key={label}>
                    {values[row] ?? "none"}
                    {unit}
                  </td>
                ))}
              </tr>
            ) : null,
          )}
        </tbody>
      </table>
    </figure>
  );
}
