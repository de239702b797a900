/** A signed operation is about 2 KB. */
export const MAX_BODY_BYTES = 64 * 1024;
/** The operator's own processes send queue entries by the hundred. */
export const MAX_OPERATOR_BODY_BYTES = 1024 * 1024;
