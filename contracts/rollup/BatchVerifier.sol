// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {IBatchVerifier} from "./IBatchVerifier.sol";
import {loadWord, storeWord} from "./MemoryWords.sol";
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
        Statement[] memory copied = new Statement[](statements.length);
        for (uint256 i = 0; i < statements.length; ++i) {
            // Every field is a word: copied, in far less code than the compiler needs.
            Statement calldata statement = statements[i];
            Statement memory target = copied[i];
            uint256 index;
            assembly ("memory-safe") {
                calldatacopy(target, statement, 0xc0)
                index := mload(target)
            }
            // Refuses an unknown one.
            _circuitAt(keys, index);
        }
        _verify(keys, copied, proofs);
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
        return keys + SHARED_SIZE + CIRCUIT_SIZE * index;
    }

    function _circuit(uint256 keys, uint256 index)
        internal
        view
        returns (bytes32 circuitId, uint256 sort, uint256 size0, uint256 size1)
    {
        uint256 ptr = _circuitAt(keys, index);
        return (bytes32(loadWord(ptr + ID_AT)), loadWord(ptr), loadWord(ptr + 0x20), loadWord(ptr + 0x40));
    }

    /// @dev That of a known circuit.
    function _circuitId(uint256 keys, uint256 index) internal pure returns (bytes32) {
        return bytes32(loadWord(keys + SHARED_SIZE + CIRCUIT_SIZE * index + ID_AT));
    }

    /// @dev Whether the batches of a known circuit have a blob.
    function _hasBlob(uint256 keys, uint256 index) internal pure returns (bool) {
        return loadWord(keys + SHARED_SIZE + CIRCUIT_SIZE * index + TABLE_AT) >> BLOB_BIT & 1 == 1;
    }

    /// @dev Assumes that each statement's circuit is known. Reverts unless every proof is valid.
    function _verify(uint256 keys, Statement[] memory statements, Proof[] calldata proofs) internal view {
        uint256 count = statements.length;
        if (count != proofs.length) revert VerifierCountMismatch(count, proofs.length);
        uint256 seed = _transcript(keys, statements, proofs);

        uint256 pairs;
        uint256 sums;
        {
            // Zeroed by calldatacopy: the sums must start at 0.
            uint256 sumsSize = SUMS_SIZE * circuitCount;
            uint256 pairsSize = 0xc0 * (count + 2 + circuitCount);
            assembly ("memory-safe") {
                sums := mload(0x40)
                pairs := add(sums, sumsSize)
                mstore(0x40, add(pairs, pairsSize))
                calldatacopy(sums, calldatasize(), sumsSize)
            }
        }
        uint256 next = pairs;
        uint256 coefficientSum = 0;
        for (uint256 i = 0; i < count; ++i) {
            Statement memory statement = statements[i];
            uint256 coefficient = i == 0 ? 1 : _coefficient(seed, i);
            // At most 16 circuits' worth of 128-bit numbers, far below 2^256 for any list that fits a block.
            unchecked {
                coefficientSum += coefficient;
            }
            uint256 sumsAt = sums + SUMS_SIZE * statement.circuit;
            Proof calldata proof = proofs[i];
            bool isOk = true;
            assembly ("memory-safe") {
                function accumulate(place, factor, value) {
                    mstore(place, addmod(mload(place), mulmod(factor, value, R), R))
                }
                let isFirstOfCircuit := iszero(mload(sumsAt))
                mstore(sumsAt, add(mload(sumsAt), coefficient))
                accumulate(add(sumsAt, 0x20), coefficient, mload(add(statement, 0x20)))
                accumulate(add(sumsAt, 0x40), coefficient, mload(add(statement, 0x40)))
                accumulate(add(sumsAt, 0x60), coefficient, mload(add(statement, 0x60)))
                accumulate(add(sumsAt, 0x80), coefficient, mload(add(statement, 0x80)))
                accumulate(add(sumsAt, 0xa0), coefficient, mload(add(statement, 0xa0)))

                // r·A, B
                calldatacopy(next, proof, 0xc0)
                let point := mload(0x40)
                if i {
                    calldatacopy(point, proof, 0x40)
                    mstore(add(point, 0x40), coefficient)
                    isOk := staticcall(gas(), EC_MUL, point, 0x60, next, 0x40)
                }
                next := add(next, 0xc0)

                // Σ r·C: the circuit's sum in `point`, the new term behind it.
                let sumPoint := add(sumsAt, SUM_POINT_AT)
                let term := add(point, 0x40)
                calldatacopy(term, add(proof, 0xc0), 0x40)
                if i {
                    mstore(add(point, 0x80), coefficient)
                    isOk := and(isOk, staticcall(gas(), EC_MUL, term, 0x60, term, 0x40))
                }
                switch isFirstOfCircuit
                case 1 { mcopy(sumPoint, term, 0x40) }
                default {
                    mcopy(point, sumPoint, 0x40)
                    isOk := and(isOk, staticcall(gas(), EC_ADD, point, 0x80, sumPoint, 0x40))
                }
            }
            if (!isOk) revert VerifierPointInvalid();
        }

        // −Σ r·alpha, beta
        _scale(keys, coefficientSum, next);
        _negate(next);
        assembly ("memory-safe") {
            mcopy(add(next, 0x40), add(keys, 0x40), 0x80)
            next := add(next, 0xc0)
        }

        // −Σ r·IC, gamma
        uint256 icPair = next;
        next += 0xc0;
        storeWord(icPair, 0);
        storeWord(icPair + 0x20, 0);
        for (uint256 circuit = 0; circuit < circuitCount; ++circuit) {
            uint256 sumsAt = sums + SUMS_SIZE * circuit;
            if (loadWord(sumsAt) == 0) continue;
            uint256 ptr = keys + SHARED_SIZE + CIRCUIT_SIZE * circuit;
            for (uint256 i = 0; i < IC_COUNT; ++i) {
                uint256 sum = loadWord(sumsAt + 0x20 * i);
                // Nothing to add. So it is with the inputs of a blob where there is none.
                if (sum != 0) _addScaled(ptr + IC_AT + 0x40 * i, sum, icPair);
            }
            // −Σ r·C, delta
            assembly ("memory-safe") {
                mcopy(next, add(sumsAt, SUM_POINT_AT), 0x40)
                mcopy(add(next, 0x40), add(ptr, DELTA_AT), 0x80)
            }
            _negate(next);
            next += 0xc0;
        }
        _negate(icPair);
        assembly ("memory-safe") {
            mcopy(add(icPair, 0x40), add(keys, GAMMA_AT), 0x80)
        }

        bool isAnswered;
        uint256 isOne;
        assembly ("memory-safe") {
            isAnswered := staticcall(gas(), PAIRING, pairs, sub(next, pairs), 0, 0x20)
            isOne := mload(0)
        }
        if (!isAnswered) revert VerifierPointInvalid();
        if (isOne != 1) revert VerifierProofRejected();
    }

    /// @dev Hash of all circuits, inputs and proofs; checks on the way that the inputs are field elements.
    function _transcript(uint256 keys, Statement[] memory statements, Proof[] calldata proofs)
        private
        pure
        returns (uint256 seed)
    {
        uint256 count = statements.length;
        uint256 start;
        assembly ("memory-safe") {
            // Beyond the free pointer and not kept.
            start := mload(0x40)
        }
        storeWord(start, uint256(TRANSCRIPT_TAG));
        uint256 ptr = start + 0x20;
        for (uint256 i = 0; i < count; ++i) {
            Statement memory statement = statements[i];
            uint256 inputs;
            bool isInField;
            assembly ("memory-safe") {
                inputs := add(statement, 0x20)
                isInField :=
                    and(
                        and(lt(mload(inputs), R), lt(mload(add(inputs, 0x20)), R)),
                        and(
                            lt(mload(add(inputs, 0x40)), R),
                            // Both have 128 bits: others would name the same sum again.
                            iszero(shr(128, or(mload(add(inputs, 0x60)), mload(add(inputs, 0x80)))))
                        )
                    )
            }
            if (!isInField) _refuseInput(i, inputs);
            uint256 circuitAt = keys + SHARED_SIZE + CIRCUIT_SIZE * statement.circuit;
            assembly ("memory-safe") {
                mcopy(ptr, add(circuitAt, ID_AT), 0x20)
                mcopy(add(ptr, 0x20), add(statement, 0x20), 0xa0)
                ptr := add(ptr, 0xc0)
            }
        }
        assembly ("memory-safe") {
            let size := mul(proofs.length, 0x100)
            calldatacopy(ptr, proofs.offset, size)
            seed := keccak256(start, sub(add(ptr, size), start))
        }
    }

    /// @dev Names the first of a statement's inputs that is too large.
    function _refuseInput(uint256 proofIndex, uint256 inputs) private pure {
        uint256 input = 0;
        while (loadWord(inputs + 0x20 * input) < (input < 3 ? R : 1 << 128)) ++input;
        revert VerifierInputOutOfField(proofIndex, input, loadWord(inputs + 0x20 * input));
    }

    function _coefficient(uint256 seed, uint256 index) private pure returns (uint256 coefficient) {
        assembly ("memory-safe") {
            mstore(0, seed)
            mstore(0x20, index)
            coefficient := shr(128, keccak256(0, 0x40))
        }
    }

    /// @dev target = factor · point; both are addresses of points in memory.
    function _scale(uint256 point, uint256 factor, uint256 target) private view {
        bool isOk;
        assembly ("memory-safe") {
            switch factor
            case 1 {
                mcopy(target, point, 0x40)
                isOk := 1
            }
            default {
                let input := mload(0x40)
                mcopy(input, point, 0x40)
                mstore(add(input, 0x40), factor)
                isOk := staticcall(gas(), EC_MUL, input, 0x60, target, 0x40)
            }
        }
        if (!isOk) revert VerifierPointInvalid();
    }

    /// @dev target += factor · point.
    function _addScaled(uint256 point, uint256 factor, uint256 target) private view {
        uint256 input;
        assembly ("memory-safe") {
            input := mload(0x40)
            mstore(0x40, add(input, 0x80))
            mcopy(input, target, 0x40)
        }
        _scale(point, factor, input + 0x40);
        bool isOk;
        assembly ("memory-safe") {
            isOk := staticcall(gas(), EC_ADD, input, 0x80, target, 0x40)
            mstore(0x40, input)
        }
        if (!isOk) revert VerifierPointInvalid();
    }

    /// @dev Turns the point (x, y) into (x, −y); infinity is (0, 0) and stays so. A lone proof's C comes here as it was
    /// posted, seen by no precompile yet.
    function _negate(uint256 point) private pure {
        uint256 y = loadWord(point + 0x20);
        if (y >= P) revert VerifierPointInvalid();
        if (y != 0) storeWord(point + 0x20, P - y);
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
