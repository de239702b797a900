// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {IBatchVerifier} from "./IBatchVerifier.sol";
import {loadWord} from "./MemoryWords.sol";
import {
    MAX_PAYEE_COUNT,
    SHARD_COUNT_MAX,
    R,
    SORT_BATCH,
    SORT_EXIT,
    SORT_PAYEE_TABLE,
    SORT_SETTLEMENT,
    SORT_SHARD,
    SORT_SHARDED_SETTLEMENT
} from "./Protocol.sol";

// The key store: the end of its code is alpha and beta, gamma, then per circuit the words of its Circuit in their order: sort,
// size0, size1, tableSizes, isDevelopment, circuitId; delta and ic. Places and sizes are bytes.

uint256 constant GAMMA_AT = 0xc0;
uint256 constant SHARED_SIZE = 0x140;
uint256 constant CIRCUIT_SIZE = 0x2c0;
uint256 constant TABLE_AT = 0x60;
uint256 constant ID_AT = 0xa0;
uint256 constant DELTA_AT = 0xc0;
uint256 constant IC_AT = 0x140;
/// @dev Of a Statement: its fields are words.
uint256 constant STATEMENT_SIZE = 0xc0;

/// @title K Groth16 proofs in one pairing check
/// @dev Proof i holds if e(A, B) = e(alpha, beta) e(IC, gamma) e(C, delta), with IC = ic0 + C·ic1 + y·ic2 + z·ic3, and for
/// batches with a blob + low·ic4 + high·ic5. Elsewhere ic4 and ic5 are the point at infinity, and the last two inputs 0.
/// With coefficients r_i from a transcript that fixes keys, inputs and proofs, all hold but with probability 2^-128 if
///   Π e(r_i A_i, B_i) · e(−Σ r_i alpha, beta) · e(−Σ r_i IC_i, gamma) · Π_circuits e(−Σ r_i C_i, delta) = 1.
/// r_0 is 1: a common factor of all coefficients proves nothing, and one proof alone needs no scaling.
/// So a further proof costs one pair and two scalar multiplications; the first proof of another circuit costs two
/// pairs and six multiplications.
contract BatchVerifier is IBatchVerifier {
    /// @dev Order of the base field.
    uint256 private constant P = 21888242871839275222246405745257275088696311157297823662689037894645226208583;

    // The generator of G2 (EIP-197), imaginary coordinates first.
    uint256 private constant GAMMA_X_IM =
        11559732032986387107991004021392285783925812861821192530917403151452391805634;
    uint256 private constant GAMMA_X_RE =
        10857046999023057135944570762232829481370756359578518086990519993285655852781;
    uint256 private constant GAMMA_Y_IM =
        4082367875863433681332203403145435568316851327593401208105741076214120093531;
    uint256 private constant GAMMA_Y_RE =
        8495653923123431417604973247489272438418190587263600148770280649306958101930;

    uint256 private constant EC_ADD = 6;
    uint256 private constant EC_MUL = 7;
    uint256 private constant PAIRING = 8;

    bytes32 private constant CIRCUIT_TAG = keccak256("OpenLedger circuit v1");
    bytes32 private constant TRANSCRIPT_TAG = keccak256("OpenLedger batch verification v1");

    uint256 private constant MAX_CIRCUIT_COUNT = 16;
    uint256 private constant DEVELOPMENT_CHAIN_ID = 31337;

    /// @dev Bit of tableSizes: the narrow slots stand in a blob.
    uint256 private constant BLOB_BIT = 45;
    uint256 private constant IC_COUNT = 6;

    // Sums of one circuit in _verify, in bytes: Σ r, Σ r·C, Σ r·y, Σ r·z, Σ r·low, Σ r·high, then the point Σ r·proof.c.
    uint256 private constant SUMS_SIZE = 0x100;
    uint256 private constant SUM_POINT_AT = 0xc0;
    uint256 private constant SCRATCH_SIZE = 0xa0;
    uint256 private constant PROOF_SIZE = 0x100;

    /// @inheritdoc IBatchVerifier
    uint256 public immutable circuitCount;
    /// @inheritdoc IBatchVerifier
    bool public immutable isDevelopment;
    /// @dev The keys as the code of a contract: reading all of them costs 2,600 gas and 3 a word, less than two
    /// storage words. Immutables would cost nothing to read, but their number is fixed at compile time.
    address internal immutable _keyStore;
    /// @dev Where they begin in it.
    uint256 private immutable _keysAt;
    /// @dev Whether circuits prove leaves' exits, and payees' from every table that settlements take (I13). A model of one shard has no
    /// more payees than the settlement circuit that its activation named, a shard of several no more than a payee table.
    bool internal immutable _hasWaysOut;

    /// @param store What the key store answers calls with; the keys come behind it.
    constructor(CircuitConfig[] memory configs, bytes memory store) {
        uint256 count = configs.length;
        if (count == 0 || count > MAX_CIRCUIT_COUNT) {
            revert VerifierCircuitCountInvalid(count, MAX_CIRCUIT_COUNT);
        }
        _keysAt = store.length;
        store = abi.encodePacked(
            store,
            _sharedOf(configs[0].key),
            abi.encode(GAMMA_X_IM, GAMMA_X_RE, GAMMA_Y_IM, GAMMA_Y_RE)
        );
        bool anyDevelopment = false;
        bool hasLeafExit = false;
        bool hasShards = false;
        uint256[6] memory payees;
        for (uint256 i = 0; i < count; ++i) {
            CircuitConfig memory config = configs[i];
            _checkConfig(configs, i);
            anyDevelopment = anyDevelopment || config.isDevelopment;
            bool isExit = config.sort == SORT_EXIT;
            hasLeafExit = hasLeafExit || isExit && config.size0 == 0;
            hasShards = hasShards || config.sort == SORT_SHARDED_SETTLEMENT;
            // _checkConfig has refused other sorts.
            if (config.size1 > payees[config.sort]) payees[config.sort] = config.size1;
            bytes32 circuitId = keccak256(
                abi.encode(
                    CIRCUIT_TAG,
                    config.sort,
                    config.size0,
                    config.size1,
                    config.tableSizes,
                    keccak256(abi.encode(config.key))
                )
            );
            store = abi.encodePacked(
                store,
                abi.encode(
                    config.sort,
                    config.size0,
                    config.size1,
                    config.tableSizes,
                    config.isDevelopment,
                    circuitId,
                    config.key.delta,
                    config.key.ic
                )
            );
        }
        circuitCount = count;
        isDevelopment = anyDevelopment;
        _hasWaysOut = hasLeafExit && payees[SORT_EXIT] >= payees[SORT_SETTLEMENT]
            && (!hasShards || payees[SORT_EXIT] >= payees[SORT_PAYEE_TABLE]);
        _keyStore = _createStore(store);
    }

    /// @inheritdoc IBatchVerifier
    /// @dev Every field is one word or more, so that the ABI's form is the words in their order: copied, in far less code than
    /// the compiler needs for nested arrays.
    function circuits(uint256 index) external view returns (Circuit memory) {
        uint256 keys = _loadKeys();
        uint256 ptr = _circuitAt(keys, index);
        assembly ("memory-safe") {
            let out := mload(0x40)
            mcopy(out, ptr, DELTA_AT)
            // alpha and beta, then delta and ic.
            mcopy(add(out, DELTA_AT), keys, GAMMA_AT)
            mcopy(add(out, 0x180), add(ptr, DELTA_AT), sub(CIRCUIT_SIZE, DELTA_AT))
            return(out, 0x380)
        }
    }

    /// @inheritdoc IBatchVerifier
    function verifyProofs(Statement[] calldata statements, Proof[] calldata proofs) external view {
        uint256 keys = _loadKeys();
        uint256 count = statements.length;
        uint256 copied = _newStatements(count);
        // Every field is a word: copied, in far less code than the compiler needs.
        assembly ("memory-safe") {
            calldatacopy(copied, statements.offset, mul(STATEMENT_SIZE, count))
        }
        // Refuses an unknown one.
        for (uint256 i = 0; i < count; ++i) _circuitAt(keys, loadWord(copied + STATEMENT_SIZE * i));
        _verify(keys, copied, count, proofs);
    }

    /// @dev Copies all keys to memory; the result is the address of the first byte.
    function _loadKeys() internal view returns (uint256 keys) {
        address store = _keyStore;
        uint256 start = _keysAt;
        uint256 size = SHARED_SIZE + CIRCUIT_SIZE * circuitCount;
        assembly ("memory-safe") {
            keys := mload(0x40)
            mstore(0x40, add(keys, size))
            extcodecopy(store, keys, start, size)
        }
    }

    /// @dev Where the circuit's words begin.
    function _circuitAt(uint256 keys, uint256 index) private view returns (uint256 ptr) {
        if (index >= circuitCount) revert VerifierCircuitUnknown(index, circuitCount);
        // At most 16 circuits; addresses of memory are far below 2^256, here and below.
        unchecked {
            return keys + SHARED_SIZE + CIRCUIT_SIZE * index;
        }
    }

    function _circuit(uint256 keys, uint256 index)
        internal
        view
        returns (bytes32 circuitId, uint256 sort, uint256 size0, uint256 size1)
    {
        uint256 ptr = _circuitAt(keys, index);
        unchecked {
            return (bytes32(loadWord(ptr + ID_AT)), loadWord(ptr), loadWord(ptr + 0x20), loadWord(ptr + 0x40));
        }
    }

    /// @dev That of a known circuit.
    function _circuitId(uint256 keys, uint256 index) internal pure returns (bytes32) {
        unchecked {
            return bytes32(loadWord(keys + SHARED_SIZE + CIRCUIT_SIZE * index + ID_AT));
        }
    }

    /// @dev Whether the batches of a known circuit have a blob.
    function _hasBlob(uint256 keys, uint256 index) internal pure returns (bool) {
        unchecked {
            return loadWord(keys + SHARED_SIZE + CIRCUIT_SIZE * index + TABLE_AT) >> BLOB_BIT & 1 == 1;
        }
    }

    /// @dev Room for `count` statements, one behind the other, zeroed. Assumes that the calldata has a word for each.
    function _newStatements(uint256 count) internal pure returns (uint256 statements) {
        assembly ("memory-safe") {
            let size := mul(STATEMENT_SIZE, count)
            statements := mload(0x40)
            mstore(0x40, add(statements, size))
            calldatacopy(statements, calldatasize(), size)
        }
    }

    function _statementAt(uint256 statements, uint256 index) internal pure returns (Statement memory statement) {
        assembly ("memory-safe") {
            statement := add(statements, mul(STATEMENT_SIZE, index))
        }
    }

    /// @dev Assumes that each statement's circuit is known. Reverts unless every proof is valid.
    /// @param statements Address of the first of `count`, in room of _newStatements.
    function _verify(uint256 keys, uint256 statements, uint256 count, Proof[] calldata proofs) internal view {
        if (count != proofs.length) revert VerifierCountMismatch(count, proofs.length);
        uint256 seed = _transcript(keys, statements, proofs);
        uint256 sums;
        uint256 sumsEnd;
        uint256 size = SUMS_SIZE * circuitCount;
        assembly ("memory-safe") {
            // Beyond the free pointer and not kept: sums, scratch, pairs. Zeroed by calldatacopy: the sums must start at 0.
            sums := mload(0x40)
            sumsEnd := add(sums, size)
            calldatacopy(sums, calldatasize(), size)
        }
        (uint256 next, uint256 coefficientSum, bool isOk) = _addProofs(seed, statements, sums, sumsEnd, proofs);
        uint256 isOne;
        assembly ("memory-safe") {
            // Infinity is (0, 0) and stays so. A lone proof's C comes here as it was posted, seen by no precompile yet.
            function negate(point, p) -> isBelow {
                let y := mload(add(point, 0x20))
                isBelow := lt(y, p)
                mstore(add(point, 0x20), mod(sub(p, y), p))
            }
            // As R in evaluateElements.
            let p := add(P, mload(0x60))
            // The scratch: a sum, a point to add to it, and that point's factor.
            let term := add(sumsEnd, 0x40)

            // −Σ r·alpha, beta
            mcopy(next, keys, GAMMA_AT)
            if sub(coefficientSum, 1) {
                mcopy(term, keys, 0x40)
                mstore(add(term, 0x40), coefficientSum)
                isOk := and(isOk, staticcall(gas(), EC_MUL, term, 0x60, next, 0x40))
            }
            isOk := and(isOk, negate(next, p))

            // Σ IC of all circuits in the scratch, and of each −Σ r·C, delta
            let target := sumsEnd
            let circuitAt := add(keys, SHARED_SIZE)
            for { let sumsAt := sums } lt(sumsAt, sumsEnd) {} {
                let end := add(sumsAt, SUM_POINT_AT)
                if mload(sumsAt) {
                    let point := add(circuitAt, IC_AT)
                    for {} lt(sumsAt, end) { sumsAt := add(sumsAt, 0x20) } {
                        let factor := mload(sumsAt)
                        // Of 0 there is nothing to add. So it is with the inputs of a blob where there is none.
                        if factor {
                            mcopy(target, point, 0x40)
                            if sub(factor, 1) {
                                mstore(add(target, 0x40), factor)
                                isOk := and(isOk, staticcall(gas(), EC_MUL, target, 0x60, target, 0x40))
                            }
                            // The first one of all is the sum itself.
                            if sub(target, sumsEnd) {
                                isOk := and(isOk, staticcall(gas(), EC_ADD, sumsEnd, 0x80, sumsEnd, 0x40))
                            }
                            target := term
                        }
                        point := add(point, 0x40)
                    }
                    next := add(next, 0xc0)
                    mcopy(next, end, 0x40)
                    mcopy(add(next, 0x40), add(circuitAt, DELTA_AT), 0x80)
                    isOk := and(isOk, negate(next, p))
                }
                sumsAt := add(end, 0x40)
                circuitAt := add(circuitAt, CIRCUIT_SIZE)
            }

            // −Σ r·IC, gamma
            next := add(next, 0xc0)
            mcopy(next, sumsEnd, 0x40)
            mcopy(add(next, 0x40), add(keys, GAMMA_AT), 0x80)
            isOk := and(isOk, negate(next, p))

            let pairs := add(sumsEnd, SCRATCH_SIZE)
            isOk := and(isOk, staticcall(gas(), PAIRING, pairs, sub(add(next, 0xc0), pairs), 0, 0x20))
            isOne := mload(0)
        }
        if (!isOk) revert VerifierPointInvalid();
        if (isOne != 1) revert VerifierProofRejected();
    }

    /// @dev The pairs r·A, B behind the scratch, and the sums of each circuit.
    /// @param sums Zeros.
    /// @param scratch Address of SCRATCH_SIZE bytes; pairs come behind them.
    /// @return next Behind these pairs.
    function _addProofs(uint256 seed, uint256 statement, uint256 sums, uint256 scratch, Proof[] calldata proofs)
        private
        view
        returns (uint256 next, uint256 coefficientSum, bool isOk)
    {
        assembly ("memory-safe") {
            next := add(scratch, SCRATCH_SIZE)
            let term := add(scratch, 0x40)
            let proof := proofs.offset
            let end := add(proof, mul(PROOF_SIZE, proofs.length))
            let r := add(R, mload(0x60))
            isOk := 1
            for { let i := 0 } lt(proof, end) { i := add(i, 1) } {
                let sumsAt := add(sums, mul(SUMS_SIZE, mload(statement)))
                let sumPoint := add(sumsAt, SUM_POINT_AT)
                calldatacopy(next, proof, 0xc0)
                switch i
                case 0 {
                    // All inputs are below R.
                    mcopy(sumsAt, statement, STATEMENT_SIZE)
                    mstore(sumsAt, 1)
                    calldatacopy(sumPoint, add(proof, 0xc0), 0x40)
                    coefficientSum := 1
                }
                default {
                    mstore(0, seed)
                    mstore(0x20, i)
                    let coefficient := shr(128, keccak256(0, 0x40))
                    // Numbers of 128 bits: far below 2^256 for any list that fits a block.
                    coefficientSum := add(coefficientSum, coefficient)
                    let sum := mload(sumsAt)
                    mstore(sumsAt, add(sum, coefficient))
                    for { let at := 0x20 } lt(at, STATEMENT_SIZE) { at := add(at, 0x20) } {
                        let place := add(sumsAt, at)
                        let value := mulmod(coefficient, mload(add(statement, at)), r)
                        mstore(place, addmod(mload(place), value, r))
                    }
                    // r·A, B
                    mcopy(scratch, next, 0x40)
                    mstore(term, coefficient)
                    isOk := staticcall(gas(), EC_MUL, scratch, 0x60, next, 0x40)
                    // Σ r·C
                    calldatacopy(term, add(proof, 0xc0), 0x40)
                    mstore(add(term, 0x40), coefficient)
                    isOk := and(isOk, staticcall(gas(), EC_MUL, term, 0x60, term, 0x40))
                    switch sum
                    case 0 { mcopy(sumPoint, term, 0x40) }
                    default {
                        mcopy(scratch, sumPoint, 0x40)
                        isOk := and(isOk, staticcall(gas(), EC_ADD, scratch, 0x80, sumPoint, 0x40))
                    }
                    // A failed precompile has taken nearly all gas.
                    if iszero(isOk) { break }
                }
                statement := add(statement, STATEMENT_SIZE)
                next := add(next, 0xc0)
                proof := add(proof, PROOF_SIZE)
            }
        }
        if (!isOk) revert VerifierPointInvalid();
    }

    /// @dev Hash of all circuits, inputs and proofs; checks on the way that the inputs are field elements.
    function _transcript(uint256 keys, uint256 statements, Proof[] calldata proofs)
        private
        pure
        returns (uint256 seed)
    {
        uint256 start;
        uint256 ptr;
        bool isInField = true;
        bytes32 tag = TRANSCRIPT_TAG;
        assembly ("memory-safe") {
            let r := add(R, mload(0x60))
            // Beyond the free pointer and not kept.
            start := mload(0x40)
            mstore(start, tag)
            ptr := add(start, 0x20)
            let statement := statements
            for { let end := add(statement, mul(STATEMENT_SIZE, proofs.length)) } lt(statement, end) {} {
                let inputs := add(statement, 0x20)
                // The circuit's id, then the inputs.
                mstore(ptr, mload(add(add(keys, add(SHARED_SIZE, ID_AT)), mul(CIRCUIT_SIZE, mload(statement)))))
                mcopy(add(ptr, 0x20), inputs, 0xa0)
                isInField := and(
                    isInField,
                    and(
                        and(lt(mload(inputs), r), lt(mload(add(inputs, 0x20)), r)),
                        and(
                            lt(mload(add(inputs, 0x40)), r),
                            // Both have 128 bits: others would name the same sum again.
                            iszero(shr(128, or(mload(add(inputs, 0x60)), mload(add(inputs, 0x80)))))
                        )
                    )
                )
                statement := add(statement, STATEMENT_SIZE)
                ptr := add(ptr, 0xc0)
            }
            let size := mul(proofs.length, PROOF_SIZE)
            calldatacopy(ptr, proofs.offset, size)
            seed := keccak256(start, sub(add(ptr, size), start))
        }
        if (!isInField) _refuseInput(statements);
    }

    /// @dev Names the first input that is too large; there is one.
    function _refuseInput(uint256 statements) private pure {
        for (uint256 place = 0;; ++place) {
            uint256 value = loadWord(statements + 0x20 * place);
            uint256 input = place % 6;
            // The first word is the circuit.
            if (input != 0 && value >= (input < 4 ? R : 1 << 128)) {
                revert VerifierInputOutOfField(place / 6, input - 1, value);
            }
        }
    }

    function _checkConfig(CircuitConfig[] memory configs, uint256 index) private view {
        CircuitConfig memory config = configs[index];
        // Batches have a table, and they alone.
        // Attack: a bit above the blob's, which readers might take for another rule than this contract's.
        bool hasFittingTable =
            (config.tableSizes != 0) == (config.sort == SORT_BATCH) && config.tableSizes >> (BLOB_BIT + 1) == 0;
        if (!hasFittingTable || !_isShape(config.sort, config.size0, config.size1)) {
            revert VerifierShapeInvalid(index, config.sort, config.size0, config.size1);
        }
        if (config.isDevelopment && block.chainid != DEVELOPMENT_CHAIN_ID) {
            revert VerifierDevelopmentKey(index, block.chainid);
        }
        VerifyingKey memory key = config.key;
        if (keccak256(_sharedOf(key)) != keccak256(_sharedOf(configs[0].key))) revert VerifierKeyNotShared(index);
        bytes32 delta = _hashDelta(key);
        for (uint256 i = 0; i < index; ++i) {
            if (delta == _hashDelta(configs[i].key)) revert VerifierDeltaShared(index, i);
        }
        bool isGamma = delta == keccak256(abi.encode(GAMMA_X_IM, GAMMA_X_RE, GAMMA_Y_IM, GAMMA_Y_RE));
        bool isValid = _isG1(key.alpha) && _isG2(key.beta) && _isG2(key.delta) && !isGamma;
        bool hasBlob = config.tableSizes >> BLOB_BIT & 1 == 1;
        for (uint256 i = 0; i < IC_COUNT; ++i) {
            // Attack: a key without a point for the blob's value proves batches whose blob says something else.
            bool isNeeded = i < 4 || hasBlob;
            isValid = isValid && (isNeeded ? _isG1(key.ic[i]) : key.ic[i][0] | key.ic[i][1] == 0);
        }
        if (!isValid) revert VerifierKeyInvalid(index);
    }

    function _sharedOf(VerifyingKey memory key) private pure returns (bytes memory) {
        return abi.encode(key.alpha, key.beta);
    }

    function _hashDelta(VerifyingKey memory key) private pure returns (bytes32) {
        return keccak256(abi.encode(key.delta));
    }

    function _isShape(uint256 sort, uint256 size0, uint256 size1) private pure returns (bool) {
        if (sort == SORT_EXIT && size0 == 0) return size1 == 0;
        if (size1 == 0) return false;
        // The wire form counts wide slots in a byte; all narrow and wide slots together fit a batch's 12 bits.
        if (sort == SORT_BATCH) return size0 % 2 == 0 && size0 + size1 < 4096 && size1 <= 255;
        if (sort == SORT_SHARDED_SETTLEMENT) return size0 != 0 && size1 > 1 && size1 <= SHARD_COUNT_MAX;
        if (size1 > MAX_PAYEE_COUNT) return false;
        if (sort == SORT_SETTLEMENT) return size0 != 0;
        return sort == SORT_PAYEE_TABLE || sort == SORT_SHARD ? size0 == 0 : sort == SORT_EXIT && size0 == 1;
    }

    /// @dev On the curve and not at infinity.
    function _isG1(uint256[2] memory point) private view returns (bool) {
        if (point[0] == 0 && point[1] == 0) return false;
        (bool isOk,) = address(uint160(EC_ADD)).staticcall(abi.encode(point, uint256(0), uint256(0)));
        return isOk;
    }

    /// @dev On the curve, in the group of order R and not at infinity: the precompile checks this even if the other
    /// point of the pair is at infinity.
    function _isG2(uint256[2][2] memory point) private view returns (bool) {
        if (point[0][0] | point[0][1] | point[1][0] | point[1][1] == 0) return false;
        (bool isOk,) = address(uint160(PAIRING)).staticcall(abi.encode(uint256(0), uint256(0), point));
        return isOk;
    }

    /// @dev Creates a contract whose code is `store`.
    function _createStore(bytes memory store) private returns (address created) {
        // PUSH2 size, DUP1, PUSH1 10, PUSH0, CODECOPY, PUSH0, RETURN: 10 bytes, then the code itself.
        bytes memory initCode = abi.encodePacked(hex"61", uint16(store.length), hex"80600a5f395ff3", store);
        assembly ("memory-safe") {
            created := create(0, add(initCode, 0x20), mload(initCode))
        }
        if (created == address(0)) revert VerifierKeyStoreFailed();
    }
}
