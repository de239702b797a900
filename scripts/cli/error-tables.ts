import { attributionErrors } from "../../attribution/attribution-errors.ts";
import { bridgeErrors } from "../../bridge/bridge-errors.ts";
import { circuitErrors } from "../../circuits/circuit-errors.ts";
import { operationErrors } from "../../circuits/operation-errors.ts";
import { clientErrors } from "../../client/client-errors.ts";
import { contractErrors } from "../../contracts/contract-errors.ts";
import { datanetErrors } from "../../datanets/datanet-errors.ts";
import { type ErrorTable, processErrors } from "../../foundation/error-table.ts";
import { servingErrors } from "../../models/adapters/serving-errors.ts";
import { factoryErrors } from "../../models/factory/factory-errors.ts";
import { modelErrors } from "../../models/model-errors.ts";
import { proverErrors } from "../../prover/prover-errors.ts";
import { sequencerErrors } from "../../sequencer/sequencer-errors.ts";
import { commandErrors } from "./cli-errors.ts";

/** Error tables whose codes may reach a user, in the order of docs/errors.md. */
export const ERROR_TABLES: readonly ErrorTable[] = [
  processErrors,
  operationErrors,
  datanetErrors,
  sequencerErrors,
  bridgeErrors,
  proverErrors,
  clientErrors,
  attributionErrors,
  modelErrors,
  servingErrors,
  factoryErrors,
  circuitErrors,
  contractErrors,
  commandErrors,
];
