import { datanetErrors } from "@openledger/datanets/datanet-errors";
import { defineErrors } from "@openledger/foundation/error-table";

/** Codes of models/factory. */
export const factoryErrors = defineErrors("MOD_FACTORY", {
  MOD_FACTORY_REFUSED: {
    meaning:
      "the account that signed, or the folder, address or host that is named, is none that the operator lets the factory work for or read",
    remedy:
      "take one that /v1/info names, or have the operator add it (FACTORY_ACCOUNTS and the lists beside it)",
    httpStatus: 403,
  },
  MOD_FACTORY_UNKNOWN: {
    meaning: "the account has no base, data set, job or file of this name here",
    remedy: "compare the name with the list",
    httpStatus: 404,
  },
  MOD_FACTORY_ROWS_MISSING: {
    meaning:
      "the data set waits for signed requests for rows of a permissioned Datanet, one for each that it asks for",
    remedy: "read the data set again and sign the requests that it asks for now",
    httpStatus: 409,
  },
  MOD_FACTORY_JOB_STATE: {
    meaning:
      "the job is in a state in which this cannot be done, or uses what was to change; `data.state` names it where it is the job's",
    remedy: "read the job again; pause or delete it, or wait for its proof",
    httpStatus: 409,
  },
  MOD_FACTORY_NOT_REGISTRABLE: {
    meaning:
      "the model cannot be registered: its rows are of no Datanet, no circuit of the rollup holds it, or the leaf is no model of this job; `data.why`",
    remedy:
      "train on a published version that a circuit holds, and create the model with the statics that the registration names",
    httpStatus: 409,
  },
  MOD_FACTORY_TRAINER_ENDED: {
    meaning: "the process that trained, measured or answered ended without a result, more than once",
    remedy: "look into the factory's log (too little memory, for example); then resume the job",
  },
});

export const factoryError = factoryErrors.raise;

/** What the factory answers a code with: its own, a host's, and 422 for what engines refuse of bases, rows and recipes. */
export function factoryHttpStatus(code: string): number {
  const own = factoryErrors.statusOf(code) ?? datanetErrors.statusOf(code);
  return own ?? (/^(MOD|ATT|CLI|CIR|OP)_/.test(code) ? 422 : 500);
}
