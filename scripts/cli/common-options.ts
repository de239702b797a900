/** Options that several commands have, each declared here once. */
import { defineOptions } from "./options.ts";
import { parseBlock, parseDepth, parsePort } from "./parse-id.ts";

export const FROM_BLOCK_OPTION = defineOptions({
  "--from-block <number>": {
    about: "first L1 block to read; default: the contract's own, searched for where no record has it",
    parse: parseBlock,
  },
});
/** As the bridge's. */
const FINALITY_DEPTH_BLOCKS = 64;
export const FINALITY_OPTION = defineOptions({
  "--finality-depth <blocks>": {
    about: "how many L1 blocks a batch must be deep to count as final",
    fallback: FINALITY_DEPTH_BLOCKS,
    parse: parseDepth,
  },
});
export const SNAPSHOT_OPTION = defineOptions({
  "--snapshot <file>": "begin with a snapshot, once its root is found among those that L1 has accepted",
});
export const SERVER_OPTION = defineOptions({
  "--server <url>": "where the model is served; default: what this machine knows",
});
export const FOLDER_OPTION = defineOptions({
  "--folder <folder>": "your copy of the model; by default it is fetched from the server",
});
export const MODEL_ID_OPTION = defineOptions({ "--model-id <id>": "the model's leaf" });
export const EPOCH_OPTION = defineOptions({ "--epoch <number>": "default: the one that waits" });
export const STORE_OPTION = defineOptions({ "--rows <folder>": "the store that holds the rows" });
export const CARD_OPTION = defineOptions({
  "--card <file>": "the Datanet's card, which says what its rows are and which base models of it have",
});
export const LEAF_OPTION = defineOptions({
  "--leaf <leaf>": "a leaf id, an account's name or an address; default: the account's",
});
export const OWNER_OPTION = defineOptions({
  "--owner <address>": "whose money it is; default: the account's. What is paid goes to that address",
});
export const LISTEN_OPTIONS = defineOptions({
  "--host <address>": "where to listen; default: this machine alone",
  "--port <number>": { about: "where to listen; 0 = any free one", parse: parsePort },
});
export const DATA_OPTION = defineOptions({
  "--data <folder>": "a data directory: a sequencer's (SEQUENCER_DATA_PATH), or of what is started",
});
export const OUT_FILE_OPTION = defineOptions({ "--out <file>": "where it is written" });
export const OUT_FOLDER_OPTION = defineOptions({ "--out <folder>": "a new folder for what is made" });
export const INSTALLATION_OPTION = defineOptions({
  "--config <folder>": "the installation of this machine, as openledger operator init wrote it",
});
export const OPERATOR_KEY_OPTION = defineOptions({
  "--operator-key-file <file>": "the operator's L1 key, mode 0600",
});
export const LEASE_OPTION = defineOptions({
  "--lease <address>": "the lease's contract (docs/how-to/fail-over.md)",
});
export const URL_OPTION = defineOptions({
  "--url <url>": "where clients and provers find this machine's sequencer; it stands on L1",
});
export const THREADS_OPTION = defineOptions({
  "--threads <n>": "threads of the computation; the bytes do not depend on them",
});
export const TOKENS_OPTION = defineOptions({ "--tokens <n>": "most tokens of an answer" });
export const EVERY_OPTION = defineOptions({
  "--every <minutes>": "look again after so many minutes; default: once",
});
export const NOTE_OPTION = defineOptions({ "--note <text>": "why, as others read it" });
export const CLAIM_OPTION = defineOptions({
  "--claim":
    "claim drawn receipts of language models that promise it, with a bond each, and defend the claims; needs --account",
});
export const FIRST_BALANCE_OPTION = defineOptions({
  "--amount <open>": { about: "its first balance, which pays for its own operations", fallback: "1" },
});
export const DRY_RUN_OPTION = defineOptions({ "--dry-run": "only say what would be done; nothing is sent" });
export const DEPLOYMENT_OPTION = defineOptions({
  "--deployment <file>": "the deployment record, as openledger deploy wrote it",
});
export const REGISTRY_OPTION = defineOptions({
  "--registry <address>": "the registry of rollups; default: the record's",
});
export const VERSION_OPTION = defineOptions({
  "--version-number <n>": "which version of the Datanet; default: the present one",
});
