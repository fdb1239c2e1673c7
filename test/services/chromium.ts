// A Chromium to drive. Browser tests start it themselves; here it is only found.

import type { Program } from "./programs.ts";

export const chromium: Program = {
  title: "Chromium",
  names: ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"],
  places: [
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
  ],
  aptPackage: "chromium",
  advice:
    "install Chromium or Chrome (Debian: apt install chromium), or set PORTVAKT_TEST_CHROMIUM to its path",
};
