// Dependencies point one way: scripts -> {client, sequencer} -> {bridge, prover} -> circuits; contracts stand beside
// them. Biome's lint sees the specifiers, this sees the resolved files.
const folder = (name) => `^${name}/`;
const only = (name, allowed) => ({
  name: `${name}-imports-down`,
  severity: "error",
  from: { path: folder(name), pathNot: "\\.test\\.ts$|test-support|random-ledger|fixture|measure-|load\\.ts$" },
  to: {
    path: "^(circuits|attribution|prover|bridge|contracts|client|sequencer|scripts)/",
    pathNot: [name, ...allowed].map(folder),
  },
});

module.exports = {
  forbidden: [
    only("circuits", []),
    only("attribution", ["circuits"]),
    only("prover", ["circuits"]),
    only("contracts", ["circuits"]),
    only("bridge", ["circuits", "contracts"]),
    only("client", ["circuits", "contracts"]),
    only("sequencer", ["circuits", "prover", "bridge", "contracts"]),
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true } },
    {
      name: "no-imports-of-tests",
      severity: "error",
      from: { pathNot: "\\.test\\.ts$" },
      to: { path: "\\.test\\.ts$" },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    includeOnly: "^(circuits|attribution|prover|bridge|contracts|client|sequencer|scripts)/",
    doNotFollow: { path: "node_modules" },
  },
};
