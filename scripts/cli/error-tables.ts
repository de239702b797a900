/**
 * Error tables of all workspaces, from which the command line prints remedies and scripts/errors.ts makes
 * docs/reference/errors.md.
 */
import { attributionErrors } from "@openledger/attribution/attribution-errors";
import { bridgeErrors } from "@openledger/bridge/bridge-errors";
import { circuitErrors, operationErrors } from "@openledger/circuits/circuit-errors";
import { clientErrors } from "@openledger/client/client-errors";
import { contractErrors } from "@openledger/contracts/contract-errors";
import { datanetErrors } from "@openledger/datanets/datanet-errors";
import { type ErrorTable, processErrors } from "@openledger/foundation/error-table";
import { gatewayErrors } from "@openledger/gateway/gateway-errors";
import { factoryErrors, modelErrors, servingErrors, settlerErrors } from "@openledger/models/model-errors";
import { proverErrors } from "@openledger/prover/prover-errors";
import { sequencerErrors } from "@openledger/sequencer/sequencer-errors";
import { verifierErrors } from "@openledger/verifier/verifier-errors";
import { commandErrors } from "./cli-errors.ts";
import { operatorErrors } from "./operator-errors.ts";

/** Error tables whose codes may reach a user, in the order of docs/reference/errors.md. */
export const ERROR_TABLES: readonly ErrorTable[] = [
  processErrors,
  operationErrors,
  datanetErrors,
  sequencerErrors,
  bridgeErrors,
  proverErrors,
  clientErrors,
  verifierErrors,
  attributionErrors,
  modelErrors,
  servingErrors,
  factoryErrors,
  gatewayErrors,
  circuitErrors,
  contractErrors,
  commandErrors,
  operatorErrors,
  settlerErrors,
];
