/** `npm run dispute-drill`: hostile owners post false models; `openledger watch` refutes each; an honest model is admitted. */
import { parseArgs } from "node:util";
import { BACKEND_NAMES, type BackendName } from "@openledger/prover/backends";
import { DIRECT_FALSEHOODS } from "./drill/disputes/direct-falsehoods.ts";
import { disputeFacts, disputeTable, runDisputeDrill } from "./drill/disputes/dispute-drill.ts";
import { type Falsehood, MODEL_KINDS, type ModelKind } from "./drill/disputes/falsehood.ts";
import { FALSEHOODS } from "./drill/disputes/falsehoods.ts";
import { languageFacts, languageTable, runLanguageDrill } from "./drill/disputes/language-drill.ts";
import { LANGUAGE_FALSEHOODS } from "./drill/disputes/language-falsehoods.ts";
import { LANGUAGE_LIES } from "./drill/disputes/language-lies.ts";

const LANGUAGE = "language";
const ALL: readonly Falsehood[] = [...FALSEHOODS, ...DIRECT_FALSEHOODS];

const USAGE = `npm run dispute-drill -- [--kind ${[...MODEL_KINDS, LANGUAGE].join("|")}]… [--lie NAME]… [--only-lies] [--prover ${BACKEND_NAMES.join("|")}] [--keep FOLDER]

${ALL.map(({ description, name }) => `  ${name.padEnd(16)} ${description}`).join("\n")}

A rollup whose gate is the contract Disputes, with real processes. A hostile owner registers and posts each lie with a
bond; the command \`openledger watch\` is left alone with them. An honest model then passes its window, is admitted, paid and
settled. --only-lies: without it. --keep: logs stay in FOLDER. The last line is JSON: {"disputeDrill": {…}}. Exit code 1
where a lie is not refuted, gets a genesis, or the honest model does not.

--kind language is a drill of its own, after the others. Two owners of language models post the rows of G; the liar's first postings are
the last ones below, and only the watcher is there to find them. Then both claim what is drawn of their models. The honest
one's server claims and defends by itself (model serve --settle --claim). The other lies, as below; then he claims nothing. Somebody
challenges a right claim. Each epoch is settled on L1, and every wei is counted. The last line is JSON: {"languageDrill": {…}}.

${[...LANGUAGE_LIES, ...LANGUAGE_FALSEHOODS].map(({ description, name }) => `  ${name.padEnd(16)} ${description}`).join("\n")}`;

/** Circuits of the tests, too: small, but with room for a model of some rows. */
const SIZE = { rows: 48, features: 32, earners: 4, payments: 4, draws: 4 } as const;
const LANGUAGE_SIZE = { rows: 8, features: 32, earners: 4, payments: 4, draws: 2 } as const;
const DIRECT_SIZE = { ...SIZE, features: 64, isDirect: true } as const;

const { values } = parseArgs({
  options: {
    kind: { type: "string", multiple: true, default: [...MODEL_KINDS] },
    lie: { type: "string", multiple: true, default: [] },
    "only-lies": { type: "boolean", default: false },
    prover: { type: "string", default: "wasm" },
    keep: { type: "string" },
    help: { type: "boolean", default: false },
  },
});
const isBackend = (name: string): name is BackendName => (BACKEND_NAMES as readonly string[]).includes(name);
const isKind = (name: string): name is ModelKind => (MODEL_KINDS as readonly string[]).includes(name);
const unknown = [
  ...values.lie.filter((name) => !ALL.some((lie) => lie.name === name)),
  ...values.kind.filter((name) => !isKind(name) && name !== LANGUAGE),
];
if (values.help || unknown.length > 0 || !isBackend(values.prover)) {
  console.log(unknown.length > 0 ? `there is no ${unknown.join(", ")}\n\n${USAGE}` : USAGE);
  process.exit(values.help ? 0 : 2);
}
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));
const startedAtMs = performance.now();
const tell = (text: string) =>
  console.log(`${String(Math.round((performance.now() - startedAtMs) / 1000)).padStart(5)} s  ${text}`);
const shared = { backend: values.prover, keepIn: values.keep ?? null, tell };
const kinds = values.kind.filter(isKind);
if (kinds.length > 0) {
  const result = await runDisputeDrill({
    ...shared,
    kinds,
    sizes: { classifier: SIZE, direct: DIRECT_SIZE },
    falsehoods: ALL.filter(({ name }) => values.lie.length === 0 || values.lie.includes(name)),
    playsHonest: !values["only-lies"],
  });
  console.log(disputeTable(result));
  console.log(JSON.stringify({ disputeDrill: disputeFacts(result) }));
}
if (values.kind.includes(LANGUAGE)) {
  const result = await runLanguageDrill({ ...shared, size: LANGUAGE_SIZE });
  console.log(languageTable(result));
  console.log(JSON.stringify({ languageDrill: languageFacts(result) }));
}
process.exit(0);
