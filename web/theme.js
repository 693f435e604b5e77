/** Colours of everything that is no cell of the map. */

export const THEMES = {
  dark: {
    ground: "#0b0e14", text: "#d9e0ec", quiet: "#9aa7bb", grid: "#ffffff14", bid: "#5fe0a8", ask: "#ff8fa3", last: "#f4f6fa",
    buy: "#5fe0a8", sell: "#ff8fa3", up: "#56b4e9", down: "#e69f00", chop: "#3a4252", hatch: "#c9d2e2", cross: "#ffffff70",
    session: "#b9a5ff", ink: "#0b0e14", depth: "#8794a8", pressure: "#409cff", vacuum: "#ff9614", halo: "#0b0e14cc",
  },
  light: {
    ground: "#fafaf8", text: "#1b2230", quiet: "#525d70", grid: "#00000014", bid: "#00764a", ask: "#b3123c", last: "#10141c",
    buy: "#00764a", sell: "#b3123c", up: "#0072b2", down: "#b35c00", chop: "#c3c9d3", hatch: "#3a4252", cross: "#00000080",
    session: "#5a3fc0", ink: "#ffffff", depth: "#8a93a3", pressure: "#0054be", vacuum: "#ce5c00", halo: "#fafaf8dd",
  },
};

/** @typedef {typeof THEMES.dark} Theme @typedef {"dark" | "light"} ThemeName */
