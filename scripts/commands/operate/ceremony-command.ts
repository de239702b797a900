/**
 * `openledger ceremony`: the steps of a Groth16 key ceremony (phase 2, by snarkjs): new, contribute, beacon, verify. Operators
 * and contributors run them in turn (docs/how-to/keys.md).
 */
import type { CircuitStep, CircuitVerdict } from "@openledger/prover/keys/ceremony-keys";
import type { Contribution } from "@openledger/prover/keys/contributions";
import type { Command } from "commander";
import { defineOptions } from "../../cli/options.ts";
import type { Output } from "../../cli/output.ts";
import { command, withExample } from "../../cli/run-command.ts";

const PTAU_OPTION = defineOptions({
  "--ptau <file>": { about: "powers of tau, prepared for phase 2", isRequired: true },
});
const STEP_OPTIONS = defineOptions({
  "--from <path>": {
    about: "folder of keys as the last contributor left it, or one .zkey file",
    isRequired: true,
  },
  "--to <path>": { about: "new folder, or new .zkey file", isRequired: true },
});

/** snarkjs takes a second to load, and other commands do not need it. */
async function loadCeremony() {
  // snarkjs prints some of its verdicts itself; stdout is the answer's.
  console.log = (text: string) => process.stderr.write(`${text}\n`);
  const [keys, { circuitSpec }] = await Promise.all([
    import("@openledger/prover/keys/ceremony-keys"),
    import("@openledger/circuits/registry/circuit-registry"),
  ]);
  return { ...keys, resolveCircuit: circuitSpec };
}

/** Adds all steps. */
export function addCeremonyCommands(program: Command): void {
  const ceremony = program
    .command("ceremony")
    .description("production keys of a rollup's circuits, by snarkjs (docs/how-to/keys.md)");
  withExample(
    ceremony,
    "ceremony new --circuits leaf-exit payee-exit-4 --ptau pot18.ptau --to keys-0",
    'ceremony contribute --from keys-0 --to keys-1 --name "Ada"',
  );
  for (const add of [addNew, addContribute, addBeacon, addVerify]) add(ceremony);
}

const addNew = command({
  usage: "new",
  about: "make the first key of each circuit; it must not be used before people contributed to it",
  options: {
    "--circuits <names...>": { about: "circuits of the rollup, as deploy.json lists them", isRequired: true },
    ...PTAU_OPTION,
    "--to <folder>": { about: "new folder for the keys", isRequired: true },
  },
  examples: ["ceremony new --circuits leaf-exit payee-exit-4 --ptau pot18.ptau --to keys-0"],
  run: async ({ options, output }) => {
    const { newKeys, resolveCircuit } = await loadCeremony();
    const { circuits: circuitNames, ptau: ptauPath, to: folder } = options;
    const request = { circuitNames, resolveCircuit, ptauPath, folder };
    answerSteps(await newKeys(request, output.progress), output);
  },
});

const addContribute = command({
  usage: "contribute",
  about: "add a secret from this machine's randomness to each key, and forget it",
  options: {
    ...STEP_OPTIONS,
    "--name <name>": { about: "public name of the contributor: 1 to 64 ASCII characters", isRequired: true },
  },
  examples: ['ceremony contribute --from keys-0 --to keys-1 --name "Ada"'],
  run: async ({ options, output }) => {
    const { contributeToKeys } = await loadCeremony();
    const { from: fromPath, name, to: toPath } = options;
    answerSteps(await contributeToKeys({ fromPath, toPath, name }, output.progress), output);
  },
});

const addBeacon = command({
  usage: "beacon",
  about: "end the ceremony with a public value that nobody could foresee",
  options: {
    ...STEP_OPTIONS,
    "--value <hex>": { about: "the value, for example an announced block's hash", isRequired: true },
    "--iterations-exp <n>": { about: "hash the value 2^n times", fallback: 10, parse: Number },
  },
  examples: ["ceremony beacon --from keys-3 --to keys --value 0102030405060708090a0b0c0d0e0f10"],
  run: async ({ options, output }) => {
    const { applyBeaconToKeys } = await loadCeremony();
    const { value: beaconHex, from: fromPath, iterationsExp, to: toPath } = options;
    const request = { fromPath, toPath, beaconHex, iterationsExp };
    answerSteps(await applyBeaconToKeys(request, output.progress), output);
  },
});

const addVerify = command({
  usage: "verify",
  about: "check each key against its circuit, the powers of tau and its contributions",
  options: {
    ...PTAU_OPTION,
    "--keys <path>": { about: "folder of keys, or one .zkey file", isRequired: true },
  },
  examples: ["ceremony verify --keys keys --ptau pot18.ptau"],
  run: async ({ options, output }) => {
    const { resolveCircuit, verifyKeys } = await loadCeremony();
    const { keys: path, ptau: ptauPath } = options;
    const keys = await verifyKeys({ path, ptauPath, resolveCircuit }, output.progress);
    const isValid = keys.every((key) => key.isValid);
    output.answer(keys.flatMap(verdictLines), { isValid, keys });
    if (!isValid) process.exitCode = 1;
  },
});

/** Prints each written key with the hash of its last contribution, which its author publishes. */
function answerSteps(keys: readonly CircuitStep[], output: Output): void {
  const lines = keys.map(({ contributions, zkeyPath }) => {
    const last = contributions.at(-1);
    return last === undefined ? `${zkeyPath}: no contribution yet` : `${zkeyPath}: ${contributionLine(last)}`;
  });
  output.answer(lines, { keys });
}

function verdictLines({ circuitName, contributions, isValid, reasons }: CircuitVerdict): string[] {
  const verdict = isValid
    ? "follows from the circuit, the powers of tau and its contributions"
    : `REFUSED: ${reasons.join("; ")}`;
  const warning = contributions.length === 0 ? ["  no contribution: its secret is known"] : [];
  return [
    `${circuitName}: ${verdict}`,
    ...warning,
    ...contributions.map((one) => `  ${contributionLine(one)}`),
  ];
}

const contributionLine = ({ beacon, hash, name }: Contribution): string =>
  beacon === null
    ? `${name} ${hash}`
    : `${name} ${hash}, of ${beacon.hex} hashed 2^${beacon.iterationsExp} times`;
