/**
 * Chooses the circuits that somebody who settles or carries on the queue without the operator needs, among those registered on
 * L1. L1 knows sorts and sizes; rows, features and draws are in the names. The calls of without-operator/ choose by it.
 */

import { bridgeError } from "@openledger/bridge/bridge-errors";
import type { RegisteredCircuit } from "@openledger/bridge/l1/rollup-contract";
import { maxPayees, type Payee } from "@openledger/circuits/ledger/payee-shards";
import {
  isPlainBatch,
  type SettlingCircuits,
  settlingCircuits,
} from "@openledger/circuits/registry/circuit-sizes";
import { CIRCUIT_SORT } from "@openledger/circuits/settlement/settlement-data";
import { type ModelShape, misfitOf } from "@openledger/circuits/settlement/settlement-size";

/** Circuit of which the settler has the files: its name in the registry, and the id of its key. */
export interface KnownCircuit {
  readonly name: string;
  readonly circuitId: bigint;
}

export interface ChosenCircuit extends RegisteredCircuit {
  readonly name: string;
}

const noCircuit = (what: string, data: object) =>
  bridgeError("BRG_NO_CIRCUIT", `there is no ${what} that is registered and known here`, { data });

function known(registered: readonly RegisteredCircuit[], circuits: readonly KnownCircuit[]): ChosenCircuit[] {
  return registered.flatMap((circuit) => {
    const name = circuits.find(({ circuitId }) => circuitId === circuit.circuitId)?.name;
    return name === undefined ? [] : [{ ...circuit, name }];
  });
}

/** The batch circuit with the fewest slots: a Settle needs one. @throws BRG_NO_CIRCUIT */
export function chooseBatchCircuit(
  registered: readonly RegisteredCircuit[],
  circuits: readonly KnownCircuit[],
): ChosenCircuit {
  const slots = ({ size0, size1 }: RegisteredCircuit) => size0 + size1;
  const [smallest] = known(registered, circuits)
    .filter(isPlainBatch)
    .sort((x, y) => slots(x) - slots(y));
  if (smallest === undefined) throw noCircuit("batch circuit", {});
  return smallest;
}

/**
 * Chooses a circuit for queue entries alone: the smallest table, which stays empty, then the most wide slots.
 * @throws BRG_NO_CIRCUIT
 */
export function chooseQueueCircuit(
  registered: readonly RegisteredCircuit[],
  circuits: readonly KnownCircuit[],
): ChosenCircuit {
  const [best] = known(registered, circuits)
    .filter(isPlainBatch)
    .sort((x, y) => x.size0 - y.size0 || y.size1 - x.size1);
  if (best === undefined) throw noCircuit("batch circuit", {});
  return best;
}

/** @throws BRG_NO_CIRCUIT */
export function choosePayeeTable(
  registered: readonly RegisteredCircuit[],
  circuits: readonly KnownCircuit[],
  payees: readonly Pick<Payee, "rowCount">[],
): ChosenCircuit {
  const payeeCount = maxPayees(payees);
  const found = known(registered, circuits).find(
    ({ size1, sort }) => sort === CIRCUIT_SORT.payeeTable && size1 >= payeeCount,
  );
  if (found === undefined) throw noCircuit(`payee table of ${payeeCount} slots`, { payeeCount });
  return found;
}

/**
 * Chooses the settlement circuits that settle a model and have room for the epoch's payments. @throws
 * BRG_NO_CIRCUIT
 */
export function chooseSettlementCircuit(
  registered: readonly RegisteredCircuit[],
  circuits: readonly KnownCircuit[],
  model: ModelShape & { readonly payments: number },
): SettlingCircuits<ChosenCircuit> {
  const found = settlingCircuits(known(registered, circuits)).find(
    ({ size }) => misfitOf(size, model) === null && size.payments >= model.payments,
  );
  if (found !== undefined) return found;
  throw noCircuit("settlement circuit that the model fits", model);
}
