/** Recipes of the npm packages that `npm run package` builds: the entries that people import, and further files. */
import type { EntrySources } from "./public-names.ts";

export interface PackageRecipe {
  /** The workspace whose licence and version it has. */
  readonly workspace: string;
  readonly description: string;
  /** Sources by the name that people import: "index" is the package's own. */
  readonly entries: Readonly<Record<string, EntrySources>>;
  /** Files beside its modules that these read: circom templates that circuits are compiled from, sources that name them. */
  readonly read?: RegExp;
  /** Files of installed packages that these read: circom sees only what is below the package's modules. */
  readonly installed?: readonly string[];
}

const named = (folder: string, names: readonly string[]) => names.map((name) => `${folder}/${name}.ts`);

const ERRORS = "foundation/rollup-error.ts";

export const PACKAGES = {
  client: {
    workspace: "client",
    description:
      "Use an OpenLedger rollup from Node or a page: keys, deposits, payments, withdrawals, proofs",
    entries: {
      index: {
        rooms: [
          "client/sequencer",
          "client/actions/l1",
          "client/actions/forced",
          "client/actions/ledger",
          "client/actions/answers",
        ],
        files: [
          ...named("client", [
            "ledger-client",
            "ledger-actions",
            "l2-key",
            "wallet",
            "contract-wallet",
            "l1-proposal",
            "client-errors",
          ]),
          ERRORS,
          "circuits/wire/operation-body.ts",
          "circuits/wire/operation-status.ts",
          "client/tasks/pay-for-answer.ts",
          "foundation/secret.ts",
          "contracts/build/rollup-abi.ts",
        ],
      },
      // Payments of x402, for clients of @x402/core, which is the program's own.
      x402: { rooms: ["client/x402"], files: [] },
      // Rows lie in files: for Node alone.
      rows: { rooms: ["client/actions/data"], files: [] },
      // Hosts of Datanets: downloads end in such files. Tasks of their owners: approvals and versions.
      datanets: {
        rooms: ["client/datanets", "client/tasks"],
        files: named("datanets", ["card/card", "records/record", "records/record-state", "cleaning/finding"]),
      },
    },
  },
  prover: {
    workspace: "prover",
    description: "Groth16 proofs over bn254: WebAssembly, WebGPU and snarkjs; and their keys",
    entries: {
      index: {
        rooms: [],
        files: [
          ...named("prover", ["backends", "choose-backend", "prover-errors", "proving/prover"]),
          ...named("prover", ["proving/proving-key", "keys/development-setup", "keys/development-key"]),
          ...named("prover", ["formats/verification-key", "formats/zkey-header"]),
          ...named("circuits", ["compiler/compile", "wire/groth16-proof"]),
          ERRORS,
        ],
      },
    },
  },
  verifier: {
    workspace: "verifier",
    description: "Check an OpenLedger rollup from Ethereum alone: replay, proofs, evidence, exits",
    entries: {
      index: {
        rooms: ["verifier/evidence", "verifier/exits"],
        files: [
          ...named("verifier", ["verifier-errors", "circuits/derive-circuits", "circuits/exit-circuits"]),
          ...named("verifier", ["replay/verify", "replay/verify-keys", "replay/ledger-snapshot"]),
          ...named("verifier", ["restore/restore-ledger", "restore/snapshot-file"]),
          ...named("bridge", [
            "l1/rollup-contract",
            "l1/l1-client",
            "blobs/blob-source",
            "blobs/blob-finder",
          ]),
          ...named("circuits", ["compiler/compile", "registry/circuit-registry"]),
          "prover/formats/verification-key.ts",
          ERRORS,
        ],
      },
    },
    read: /^circuits\/.*\.circom$|^circuits\/(field\/(curve\/(generators|generator-tables|montgomery-points)|square-root)|wasm\/integer-products)\.ts$/,
    installed: ["node_modules/circomlib/circuits/poseidon_constants.circom"],
  },
} as const satisfies Readonly<Record<string, PackageRecipe>>;

export type PackageName = keyof typeof PACKAGES;
export const PACKAGE_NAMES = Object.keys(PACKAGES) as PackageName[];
export const npmName = (name: PackageName) => `openledger-${name}`;
