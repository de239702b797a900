import { encodeDigests } from "@openledger/datanets/rows/row-wire";

/**
 * SHA-256 that one request asks for.
 * @internal
 */
export const MAX_DIGESTS_A_REQUEST = 4_096;

/**
 * The request that fetches rows by their SHA-256.
 * @internal
 */
export function rowsRequest(datanetId: number, digests: readonly string[]) {
  return {
    method: "POST",
    path: `/v1/datanets/${datanetId}/rows/fetch`,
    body: encodeDigests(digests),
  } as const;
}
