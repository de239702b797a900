import { datanetErrors } from "@openledger/datanets/datanet-errors";
import { defineErrors } from "@openledger/foundation/error-table";

/** Codes of models/factory. */
export const factoryErrors = defineErrors("MOD_FACTORY", {
  MOD_FACTORY_REFUSED: {
    meaning: "the factory's operator does not allow this account, folder, address or host",
    remedy: "use one that /v1/info names, or ask the operator to add it (FACTORY_ACCOUNTS and similar)",
    httpStatus: 403,
  },
  MOD_FACTORY_UNKNOWN: {
    meaning: "the account has no base, data set, job or file with this name here",
    remedy: "compare the name with the list",
    httpStatus: 404,
  },
  MOD_FACTORY_ROWS_MISSING: {
    meaning: "the data set needs signed requests for rows of a permissioned Datanet, as it lists them",
    remedy: "read the data set again and sign the requests that it lists now",
    httpStatus: 409,
  },
  MOD_FACTORY_JOB_STATE: {
    meaning:
      "the job's current state does not allow this, or the job uses what would change; `data.state` is the job's state where that is the reason",
    remedy: "read the job again; pause or delete it, or wait for its proof",
    httpStatus: 409,
  },
  MOD_FACTORY_NOT_REGISTRABLE: {
    meaning:
      "the model cannot be registered: its rows are not from a Datanet, no circuit of the rollup fits it, or the leaf is not a model of this job; `data.why`",
    remedy:
      "train on a published version that fits a circuit, and create the model with the statics that the registration names",
    httpStatus: 409,
  },
  MOD_FACTORY_TRAINER_ENDED: {
    meaning: "the process that trains, measures or answers exited without a result, more than once",
    remedy: "check the factory's log (too little memory, for example); then resume the job",
  },
});

export const factoryError = factoryErrors.raise;

/** What the factory answers a code with: its own, a host's, and 422 for what engines refuse of bases, rows and recipes. */
export function factoryHttpStatus(code: string): number {
  const own = factoryErrors.statusOf(code) ?? datanetErrors.statusOf(code);
  return own ?? (/^(MOD|ATT|CLI|CIR|OP)_/.test(code) ? 422 : 500);
}
