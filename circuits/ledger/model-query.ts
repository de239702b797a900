/** Queries of both kinds of models: of features (query.ts), and direct ones (direct-query.ts). */
import {
  type DirectQuery,
  decodeDirectQuery,
  directQueryCommitment,
  encodeDirectQuery,
} from "./direct-query.ts";
import { queryBytes, queryCommitment, queryOfBytes } from "./query.ts";

/** What a receipt binds of an answer: columnCount odd numbers, or a prompt's counts with the answered class. */
export type ModelQuery = Int16Array | DirectQuery;

export const isDirectQuery = (query: ModelQuery): query is DirectQuery => !(query instanceof Int16Array);

/** As openings show it. @throws CIR_QUERY_INVALID, CIR_SETTLEMENT_SIZE */
export const modelQueryBytes = (query: ModelQuery): Uint8Array =>
  isDirectQuery(query) ? encodeDirectQuery(query) : queryBytes(query);

/** What receipts hash of it. Needs `initPoseidon`. @throws CIR_QUERY_INVALID, CIR_SETTLEMENT_SIZE */
export const modelQueryCommitment = (query: ModelQuery): bigint =>
  isDirectQuery(query) ? directQueryCommitment(query) : queryCommitment(query);

/** @param isOfDirect whether the model is direct: the bytes do not say. @throws CIR_QUERY_INVALID */
export const modelQueryOfBytes = (bytes: Uint8Array, isOfDirect: boolean): ModelQuery =>
  isOfDirect ? decodeDirectQuery(bytes) : queryOfBytes(bytes);
