// Circles of files, and imports of tests.
const { workspaces } = require("./package.json");

const TEST = "\\.test\\.ts$";

module.exports = {
  forbidden: [
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true } },
    { name: "no-imports-of-tests", severity: "error", from: { pathNot: TEST }, to: { path: TEST } },
    { name: "no-unknown-modules", severity: "error", from: {}, to: { path: "^@openledger/" } },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    includeOnly: `^(${workspaces.join("|")})/|^@openledger/`,
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "node", "default"] },
    // Made of the sources: nobody imports it but scripts/bundle.
    exclude: { path: "^scripts/bundle/build/" },
    doNotFollow: { path: "node_modules" },
  },
};
