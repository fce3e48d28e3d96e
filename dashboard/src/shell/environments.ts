// The looks of environments. Live and development never look alike: colour, word and mark all differ.

export interface Look {
  readonly band: string;
  readonly pill: string;
  readonly mark: string;
  readonly label: string;
}

const LIVE: Look = { band: "bg-emerald-700", pill: "bg-emerald-800 text-white", mark: "●", label: "live" };
const DEVELOPMENT: Look = {
  band: "bg-[repeating-linear-gradient(45deg,#b45309_0_10px,#78350f_10px_20px)]",
  pill: "bg-amber-200 text-amber-950",
  mark: "◌",
  label: "development",
};
const FURTHER: Look = { band: "bg-sky-700", pill: "bg-sky-200 text-sky-950", mark: "◇", label: "" };

export function lookOf(env: string): Look {
  if (env === "live") return LIVE;
  if (env === "development") return DEVELOPMENT;
  return { ...FURTHER, label: env };
}
