// Who may import whom: one rule for each room of scripts/house/walls.json. "circuits" there means the files at the top
// of that folder, "circuits/*" the folder with all of its rooms, "testing" every room of that name. Tests may import
// what they test and whatever testing/ holds; nothing imports a test. Biome's lint sees the specifiers, this sees the
// resolved files.
const walls = require("./scripts/house/walls.json");

const wings = [...new Set(Object.keys(walls).map((room) => room.split("/")[0]))];
const anyWing = `^(${wings.join("|")})/`;
const TESTING = "/testing/";
const TEST = "\\.test\\.ts$";

const pattern = (room) => {
  if (room === "testing") return TESTING;
  if (room.endsWith("/*")) return `^${room.slice(0, -2)}/(?!.*testing/)`;
  return room.includes("/") ? `^${room}/` : `^${room}/[^/]+$`;
};

const wall = ([room, allowed]) => ({
  name: `wall-${room.replaceAll("/", "-")}`,
  severity: "error",
  from: { path: pattern(room), pathNot: `${TEST}|${TESTING}` },
  to: { path: anyWing, pathNot: [room, ...allowed].map(pattern) },
});

module.exports = {
  forbidden: [
    ...Object.entries(walls).map(wall),
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true } },
    { name: "no-imports-of-tests", severity: "error", from: { pathNot: TEST }, to: { path: TEST } },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    includeOnly: anyWing,
    // Made of the sources: nobody imports it but scripts/bundle.
    exclude: { path: "^scripts/bundle/build/" },
    doNotFollow: { path: "node_modules" },
  },
};
