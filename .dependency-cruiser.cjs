// Circles of files, imports of tests, and the direction of workspaces. What a workspace may import at all is in its manifest:
// knip compares manifests with imports.
const { workspaces } = require("./package.json");
// Actions of the client that send something: tasks alone call them (client/tasks/writing-actions.test.ts).
const writing = require("./client/tasks/writing-actions.json");

const TEST = "\\.test\\.ts$";
const TEST_SUPPORT = [TEST, "(^|/)testing/", "\\.fixtures\\.ts$"];
/** Programs for developers of this repository: they measure, renew generated files and run drills. */
const TOOLS = ["^scripts/(bench|errors|fuzz|packing|pages|prebuild|prebuilt|refusals|test)[./]"];
/** Files that may import workspaces after their own, and test support. */
const NOT_PRODUCT = [...TEST_SUPPORT, ...TOOLS];

/** Rooms of models/: each imports those before it. */
const MODEL_ROOMS = ["engine", "tuning", "serving", "settling", "factory"];

module.exports = {
  forbidden: [
    {
      name: "tasks-write-for-pages-commands-tools-and-devnet",
      severity: "error",
      from: { path: "^(web|scripts|gateway|e2e/devnet)/", pathNot: NOT_PRODUCT },
      // Types are no call.
      to: { path: `^client/(${writing.join("|")})\\.ts$`, dependencyTypesNot: ["type-only"] },
    },
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true } },
    { name: "no-imports-of-tests", severity: "error", from: { pathNot: TEST }, to: { path: TEST } },
    {
      name: "no-test-support-in-the-product",
      severity: "error",
      from: { pathNot: [...NOT_PRODUCT, "^e2e/"] },
      to: { path: TEST_SUPPORT },
    },
    { name: "no-unknown-modules", severity: "error", from: {}, to: { path: "^@openledger/" } },
    ...workspaces.map((name, i) => ({
      name: `${name}-imports-only-workspaces-before-it`,
      severity: "error",
      from: { path: `^${name}/`, pathNot: NOT_PRODUCT },
      to: { path: `^(${workspaces.slice(i + 1).join("|") || "-"})/` },
    })),
    ...MODEL_ROOMS.map((name, i) => ({
      name: `models-${name}-imports-only-rooms-before-it`,
      severity: "error",
      from: { path: `^models/${name}/`, pathNot: NOT_PRODUCT },
      to: { path: `^models/(${MODEL_ROOMS.slice(i + 1).join("|") || "-"})/` },
    })),
    {
      name: "other-workspaces-by-their-package-name",
      severity: "error",
      from: { path: "^([^/]+)/" },
      to: { pathNot: "^$1/", dependencyTypes: ["local"] },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    includeOnly: `^(${workspaces.join("|")})/|^@openledger/`,
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "node", "default"] },
    // Made of the sources: nobody imports it but scripts/bundle.
    exclude: { path: "^scripts/bundle/build/" },
    doNotFollow: { path: "node_modules" },
  },
};
