import {
  AMOUNT_BITS,
  FEE_PER_UNIT_BITS,
  FIELD_ORDER,
  KIND,
  kindRule,
  MAX_AMOUNT_WEI,
  MAX_LEAF_COUNT,
  NONCE_BITS,
} from "../protocol.ts";
import { inRange, refuse } from "./leaf-rules.ts";
import type { SignedOperation } from "./operation.ts";

/**
 * Checks the form of a signed operation, everything that needs no state.
 * @throws OP_UNKNOWN_KIND, OP_MALFORMED
 */
export function checkForm(operation: Omit<SignedOperation, "signature">): void {
  const rule = kindRule(operation.kind);
  if (!rule?.isSigned)
    refuse("OP_UNKNOWN_KIND", `kind ${operation.kind} is not a signed operation`, { kind: operation.kind });
  const malformed = (field: string, why: string) =>
    refuse("OP_MALFORMED", `${field} ${why}`, { field, kind: rule.name });
  const isId = (id: number) => Number.isInteger(id) && id >= 0 && id < MAX_LEAF_COUNT;
  if (!isId(operation.a)) malformed("a", "is not a 24-bit id");
  if (!isId(operation.b)) malformed("b", "is not a 24-bit id");
  if ((!rule.usesB || rule.isCreate) && operation.b !== 0) malformed("b", "must be 0 for this kind");
  if (!inRange(operation.amountCode, 40)) malformed("amountCode", "is not 40 bits");
  if (!rule.movesAmount && operation.kind !== KIND.commitData && operation.amountCode !== 0n) {
    malformed("amountCode", "must be 0 for this kind");
  }
  if (!inRange(operation.nonce, NONCE_BITS)) malformed("nonce", "is not 40 bits");
  if (!inRange(operation.maxFeePerUnitWei, FEE_PER_UNIT_BITS))
    malformed("maxFeePerUnitWei", "is not 64 bits");
  if (operation.words.length !== rule.wordCount) malformed("words", `must be ${rule.wordCount}`);
  for (const [i, word] of operation.words.entries()) {
    if (word < 0n || word >= FIELD_ORDER) malformed(`words[${i}]`, "is not below the field's order");
  }
  const word = (i: number) => operation.words[i]!;
  if (rule.isCreate && (word(0) === 0n || !inRange(word(0), 160)))
    malformed("words[0]", "is not an L1 address");
  if (operation.kind === KIND.createModel && !inRange(word(6), AMOUNT_BITS + 32))
    malformed("words[6]", "is not a 96-bit price and a 32-bit split");
  if (operation.kind === KIND.createModel && (word(6) & MAX_AMOUNT_WEI) === 0n)
    malformed("words[6]", "has no price: payments of nothing would fill an epoch");
  // Bit 8 would be a ninth of the earner index.
  if (operation.kind === KIND.collect && (!inRange(word(0), 10) || (word(0) & 0x100n) !== 0n))
    malformed("words[0]", "is not an earner index of 8 bits and a role at bit 9");
  if (operation.kind === KIND.withdraw) {
    if (word(0) === 0n || !inRange(word(0), 160)) malformed("words[0]", "is not an L1 address");
    if (!inRange(word(1), AMOUNT_BITS)) malformed("words[1]", "is not a 96-bit amount");
  }
  if (operation.kind === KIND.publishVersion && !inRange(word(3), 32))
    malformed("words[3]", "is not a 32-bit row count");
}
