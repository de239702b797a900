import { datanetErrors, datanetHttpStatus } from "@openledger/datanets/datanet-errors";
import { RollupError } from "@openledger/foundation/rollup-error";

/** Every error code of models/factory: what it means, what to do about it, and its HTTP status; 400 where none is given. */
export const factoryErrors = {
  MOD_FACTORY_REQUEST_INVALID: {
    meaning: "a field of the request is absent or of the wrong form, or there is no such route",
    remedy: "compare the request with models/factory/factory-api.ts; `data.fields` names the fields",
  },
  MOD_FACTORY_SETTINGS_INVALID: {
    meaning: "a setting of the factory is missing, wrong or unknown",
    remedy: "compare the environment with docs/generated/settings.md",
    httpStatus: 500,
  },
  MOD_FACTORY_ACCOUNT_REFUSED: {
    meaning: "the leaf that signed the request is none that this factory works for",
    remedy: "have the operator add it to FACTORY_ACCOUNTS, or run a factory of your own",
    httpStatus: 403,
  },
  MOD_FACTORY_TOO_LARGE: {
    meaning: "a body, the rows, or the steps of a job are above the factory's limit; `data` names it",
    remedy: "use fewer rows or rounds, or have the operator raise the limit",
    httpStatus: 413,
  },
  MOD_FACTORY_RATE_LIMITED: {
    meaning: "too many requests from this address, or too many large ones are being read",
    remedy: "wait a moment and try again",
    httpStatus: 429,
    isRetryable: true,
  },
  MOD_FACTORY_JOBS_FULL: {
    meaning:
      "the account has as many jobs, data sets or short computations as one account may have here, or all accounts together",
    remedy: "wait for one to end, or delete one",
    httpStatus: 429,
    isRetryable: true,
  },
  MOD_FACTORY_DISK_FULL: {
    meaning: "the factory's folder is as large as its operator lets it be, or the disk is full",
    remedy: "delete jobs, or have the operator make room; a job that failed by it can be resumed",
    httpStatus: 507,
  },
  MOD_FACTORY_UNKNOWN: {
    meaning: "the account has no base, data set, job or file of this name here",
    remedy: "compare the name with the list",
    httpStatus: 404,
  },
  MOD_FACTORY_PLACE_REFUSED: {
    meaning: "the folder, address or Datanet host is none that the operator lets the factory read",
    remedy: "take one that /v1/info names, or have the operator add it",
    httpStatus: 403,
  },
  MOD_FACTORY_ROWS_MISSING: {
    meaning: "the data set waits for rows of a permissioned Datanet that nobody has signed requests for",
    remedy: "sign the requests that the data set asks for",
    httpStatus: 409,
  },
  MOD_FACTORY_SIGNATURES_DIFFER: {
    meaning: "there is not one signature for each request that the data set asks for",
    remedy: "read the data set again and sign what it asks for now",
    httpStatus: 409,
  },
  MOD_FACTORY_IN_USE: {
    meaning: "a job uses the data set, or the job runs, or its genesis is being proven",
    remedy: "pause or delete the job first, or wait for the proof",
    httpStatus: 409,
  },
  MOD_FACTORY_JOB_STATE: {
    meaning: "the job is in a state in which this cannot be done; `data.state` names it",
    remedy: "read the job again",
    httpStatus: 409,
  },
  MOD_FACTORY_NOT_REGISTRABLE: {
    meaning:
      "the model cannot be registered: its rows are of no Datanet, or no circuit of the rollup holds it",
    remedy: "`data.why` says why; train on a published version that a circuit holds",
    httpStatus: 409,
  },
  MOD_FACTORY_MODEL_DIFFERS: {
    meaning: "the leaf is no model of this job: its statics are others, or it is another account's",
    remedy: "create the model with the statics that the registration names",
    httpStatus: 409,
  },
  MOD_FACTORY_TRAINER_ENDED: {
    meaning: "the process that trained, measured or answered ended without a result, more than once",
    remedy: "look into the factory's log (too little memory, for example); then resume the job",
    httpStatus: 500,
  },
  MOD_FACTORY_LEDGER_UNREACHABLE: {
    meaning: "the sequencer or the Ethereum node that the factory asks did not answer",
    remedy: "try again; if it stays so, the factory's operator looks at its settings",
    httpStatus: 503,
    isRetryable: true,
  },
  MOD_FACTORY_STORE_LOCKED: {
    meaning: "another process has the factory's store open",
    remedy: "stop the other one, or give this one another FACTORY_DATA_PATH",
    httpStatus: 500,
  },
  MOD_FACTORY_STORE_CORRUPT: {
    meaning: "files of the factory's store are missing or damaged",
    remedy: "take the folder from a copy, or begin with an empty one",
    httpStatus: 500,
  },
  MOD_FACTORY_STORE_FAILED: {
    meaning: "the factory's store failed; it takes no more writes until the factory starts again",
    remedy: "read the reason (a full disk, for example), mend it and start the factory again",
    httpStatus: 500,
  },
  MOD_FACTORY_STOPPING: {
    meaning: "the factory stops",
    remedy: "ask again after its start; jobs go on then",
    httpStatus: 503,
    isRetryable: true,
  },
  MOD_FACTORY_INTERNAL: {
    meaning: "the factory failed in an unforeseen way",
    remedy: "report it with the factory's log",
    httpStatus: 500,
  },
} as const satisfies Record<string, FactoryErrorRow>;

interface FactoryErrorRow {
  readonly meaning: string;
  readonly remedy: string;
  readonly httpStatus?: number;
  readonly isRetryable?: boolean;
}

export type FactoryErrorCode = keyof typeof factoryErrors;

export function factoryError(
  code: FactoryErrorCode,
  message: string,
  details: { data?: object; cause?: unknown } = {},
): RollupError {
  const { isRetryable = false }: FactoryErrorRow = factoryErrors[code];
  return new RollupError(code, message, { ...details, isRetryable });
}

/** What the factory answers a code with: its own, a host's, and 422 for what engines refuse of bases, rows and recipes. */
export function factoryHttpStatus(code: string): number {
  const row: FactoryErrorRow | undefined = (factoryErrors as Readonly<Record<string, FactoryErrorRow>>)[code];
  if (row !== undefined) return row.httpStatus ?? 400;
  if (code in datanetErrors) return datanetHttpStatus(code);
  return /^(MOD|ATT|CLI|CIR|OP)_/.test(code) ? 422 : 500;
}
