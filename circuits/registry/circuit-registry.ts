/**
 * Registry of circuits: each kind's name, sizes and main source, so that a circuit's name alone says what to
 * compile. Deployment, provers, verifiers and tests look circuits up here.
 */
import { circuitError } from "../circuit-errors.ts";
import type { CircuitSpec } from "../compiler/compile.ts";
import { drawScoresIncludes, generatorTablesPath } from "../field/curve/generator-tables.ts";
import { APPROVAL_DELAY_SECONDS, MAX_PAYEE_COUNT, TREE_DEPTH } from "../protocol.ts";
import {
  columnShape,
  drawBits,
  parseSettlementName,
  requireSize,
  type SettlementSize,
  settlementCircuitName,
  sizeError,
} from "../settlement/settlement-size.ts";
import {
  parseShardedName,
  parseShardName,
  requireShardedSize,
  requireShardSize,
  type ShardedSize,
  type ShardSize,
  shardCircuitName,
  shardedCircuitName,
  shardedTotalBits,
} from "../settlement/shards/shard-size.ts";
import { tableComposition } from "../table/table-composition.ts";
import { parseTableName, type TableShape, tableName } from "../table/table-shape.ts";

/**
 * The batch circuit of a shape (docs/explanation/leaf-table.md), put together from parts. Smaller trees (`depth`) are
 * for tests. @throws CIR_COMPOSITION_INVALID
 */
export function tableCircuitSpec(shape: TableShape, depth: number = TREE_DEPTH): CircuitSpec {
  const composition = tableComposition(shape, depth);
  const { transfers, members, wide, rows, units, low, top, isBlob = false } = shape;
  const sizes = [
    depth,
    transfers,
    members,
    wide,
    rows,
    units,
    low,
    top,
    APPROVAL_DELAY_SECONDS,
    Number(isBlob),
  ];
  return {
    name: depth === TREE_DEPTH ? tableName(shape) : `${tableName(shape)}-depth-${depth}`,
    mainSource: [
      "pragma circom 2.1.6;",
      'include "circuits/table/table-batch.circom";',
      `component main {public [${isBlob ? "z, blobHalves" : "z"}]} = TableBatch(${sizes.join(", ")});`,
      "",
    ].join("\n"),
    composition,
  };
}

/** The sampled settlement. Makes the generators' tables where they are missing. @throws CIR_SETTLEMENT_SIZE */
export function settlementCircuitSpec(size: SettlementSize): CircuitSpec {
  requireSize(size);
  if (size.isDirect === true) return directSettlementSpec(size);
  const { rows, features, payees, payments, draws } = size;
  return {
    name: settlementCircuitName(size),
    mainSource: [
      "pragma circom 2.1.6;",
      `${drawScoresIncludes(rows)}include "circuits/settlement/settlement.circom";`,
      `component main {public [z]} = Settlement(${rows}, ${features}, ${payees}, ${payments}, ${draws});`,
      "",
    ].join("\n"),
  };
}

/** The sampled settlement of direct models, likewise. @throws CIR_SETTLEMENT_SIZE */
function directSettlementSpec(size: SettlementSize): CircuitSpec {
  const { rows, features, payees, payments, draws } = size;
  const sizes = [rows, features, payees, payments, draws];
  return {
    name: settlementCircuitName(size),
    mainSource: [
      "pragma circom 2.1.6;",
      `include "${generatorTablesPath(rows)}";`,
      'include "circuits/settlement/direct/direct-settlement.circom";',
      `component main {public [z]} = DirectSettlement(${sizes.join(", ")});`,
      "",
    ].join("\n"),
  };
}

/**
 * Circuit of one shard of a sharded settlement. Makes the generators' tables if they are missing. @throws
 * CIR_SETTLEMENT_SIZE
 */
export function shardCircuitSpec(size: ShardSize): CircuitSpec {
  requireShardSize(size);
  const { rows, features, payees, draws, isDirect } = size;
  const sizes = [rows, features, payees, draws];
  const [template, file, tables] =
    isDirect === true
      ? ["DirectShard", "direct-shard", `include "${generatorTablesPath(rows)}";\n`]
      : ["Shard", "shard", drawScoresIncludes(rows)];
  return {
    name: shardCircuitName(size),
    mainSource: [
      "pragma circom 2.1.6;",
      `${tables}include "circuits/settlement/shards/${file}.circom";`,
      `component main {public [z]} = ${template}(${sizes.join(", ")});`,
      "",
    ].join("\n"),
  };
}

/** The draws of a sharded settlement. @throws CIR_SETTLEMENT_SIZE */
export function shardedCircuitSpec(size: ShardedSize): CircuitSpec {
  requireShardedSize(size);
  const { payments, shards, draws } = size;
  const sizes = [payments, drawBits(draws), shards, columnShape(size), shardedTotalBits(size)];
  return {
    name: shardedCircuitName(size),
    mainSource: [
      "pragma circom 2.1.6;",
      'include "circuits/settlement/shards/sharded-settlement.circom";',
      `component main {public [z]} = ShardedSettlement(${sizes.join(", ")});`,
      "",
    ].join("\n"),
  };
}

/**
 * The circuit of activations and default splits, for models with at most this many payees.
 * @throws CIR_SETTLEMENT_SIZE
 */
export function payeeTableCircuitSpec(payees: number): CircuitSpec {
  if (!Number.isInteger(payees) || payees < 1 || payees > MAX_PAYEE_COUNT)
    throw sizeError("payees", payees, MAX_PAYEE_COUNT);
  return {
    name: `payee-table-${payees}`,
    mainSource: [
      "pragma circom 2.1.6;",
      'include "circuits/settlement/payee-table.circom";',
      `component main {public [z]} = PayeeTable(${payees});`,
      "",
    ].join("\n"),
  };
}

/** The circuit of leaves' exits from a frozen ledger. */
export function leafExitCircuitSpec(): CircuitSpec {
  return {
    name: "leaf-exit",
    mainSource: [
      "pragma circom 2.1.6;",
      'include "circuits/exit/leaf-exit.circom";',
      `component main {public [z]} = LeafExit(${TREE_DEPTH});`,
      "",
    ].join("\n"),
  };
}

/** The circuit of payees' exits, for models with at most this many payees. @throws CIR_SETTLEMENT_SIZE */
export function payeeExitCircuitSpec(payees: number): CircuitSpec {
  if (!Number.isInteger(payees) || payees < 1 || payees > MAX_PAYEE_COUNT)
    throw sizeError("payees", payees, MAX_PAYEE_COUNT);
  return {
    name: `payee-exit-${payees}`,
    mainSource: [
      "pragma circom 2.1.6;",
      'include "circuits/exit/payee-exit.circom";',
      `component main {public [z]} = PayeeExit(${TREE_DEPTH}, ${payees});`,
      "",
    ].join("\n"),
  };
}

/**
 * The circuit of a name: table-<transfers>-<members>-<wide>-<rows>-<units>-<low>-<top>, the same with -blob at its
 * end, settlement-<rows>-<features>-<payees>-<payments>-<draws>, direct-<rows>-<buckets>-<payees>-<payments>-<draws>,
 * sharded-<payments>-<shards>-<features>-<draws>, shard-<rows>-<features>-<payees>-<draws>, of direct models both
 * behind direct- and with buckets for features, payee-table-<payees>, leaf-exit or payee-exit-<payees>.
 * @throws CIR_CIRCUIT_UNKNOWN, CIR_COMPOSITION_INVALID, CIR_SETTLEMENT_SIZE
 */
export function circuitSpec(name: string): CircuitSpec {
  if (name === "leaf-exit") return leafExitCircuitSpec();
  const settlement = parseSettlementName(name);
  if (settlement !== null) return settlementCircuitSpec(settlement);
  const sharded = parseShardedName(name);
  if (sharded !== null) return shardedCircuitSpec(sharded);
  const shard = parseShardName(name);
  if (shard !== null) return shardCircuitSpec(shard);
  const table = parseTableName(name);
  if (table !== null) return tableCircuitSpec(table);
  const [, sort, payees] = /^(payee-table|payee-exit)-([1-9]\d*|0)$/.exec(name) ?? [];
  if (sort === "payee-table") return payeeTableCircuitSpec(Number(payees));
  if (sort === "payee-exit") return payeeExitCircuitSpec(Number(payees));
  throw circuitError(
    "CIR_CIRCUIT_UNKNOWN",
    `there is no circuit ${name}; the names are ` +
      "table-<transfers>-<members>-<wide>-<rows>-<units>-<low>-<top> with or without -blob, " +
      "settlement-<rows>-<features>-<payees>-<payments>-<draws>, direct-<rows>-<buckets>-<payees>-<payments>-<draws>, " +
      "sharded-<payments>-<shards>-<features>-<draws>, shard-<rows>-<features>-<payees>-<draws>, " +
      "of direct models both behind direct- and with buckets for features, " +
      "payee-table-<payees>, leaf-exit and payee-exit-<payees>",
    { data: { name } },
  );
}
