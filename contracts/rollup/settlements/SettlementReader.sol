// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {deriveChallenge, evaluateElements, hashElements} from "../ElementVector.sol";
import {IBatchVerifier} from "../IBatchVerifier.sol";
import {IRollup} from "../IRollup.sol";
import {CIRCUIT_SIZE, ID_AT} from "../KeyStore.sol";
import {loadWord} from "../MemoryWords.sol";
import {ACTIVATION, R, SORT_PAYEE_TABLE, SORT_SETTLEMENT} from "../Protocol.sol";
import {ISettlements} from "./ISettlements.sol";
import {SettlementElements} from "./SettlementElements.sol";

/// @title What the proof of a settlement must show (I11), and whether its time has come (I12)
/// @dev Code of its own, since the rollup's has not the room. The rollup's constructor puts the keys behind it. It has no state,
/// and reads closes and randomness from its caller.
contract SettlementReader {
    using SettlementElements for SettlementElements.Elements;

    /// @dev A Settle or Activation record as the batch holds it, or the Settle record that a pre-verified settlement waits for.
    struct Record {
        uint256 kind;
        uint256 modelId;
        uint256 word;
        /// @dev 0 for one that is pre-verified.
        uint256 batchNumber;
    }

    /// @dev What the rollup needs of the posted header; of an activation the cap.
    struct Header {
        uint256 epoch;
        uint256 voidCount;
        uint256 burnedWei;
        uint256 capCircuit;
        uint256 cap;
        /// @dev By a payee table.
        bool isDefault;
    }

    /// @notice Reverts where the calling rollup may not take the settlement for the record now.
    function read(uint256 circuitCount, Record calldata record, ISettlements.Settlement calldata settlement)
        external
        view
        returns (Header memory header, IBatchVerifier.Statement memory statement)
    {
        if (settlement.commitment >= R) revert IRollup.RollupElementOutOfField();
        (bytes32 circuitId, uint256 sort,, uint256 payees) = _circuit(circuitCount, settlement.circuit);
        bool isActivation = record.kind == ACTIVATION;
        if (sort != SORT_PAYEE_TABLE && (isActivation || sort != SORT_SETTLEMENT)) {
            revert ISettlements.SettlementSortInvalid(settlement.circuit, sort, record.kind);
        }
        SettlementElements.Elements memory elements =
            SettlementElements.read(settlement.data, payees, isActivation ? 3 : 6);
        if (elements.chain >= R) revert IRollup.RollupElementOutOfField();

        header.isDefault = sort == SORT_PAYEE_TABLE;
        uint256 seed = 0;
        if (isActivation) {
            header.cap = _cap(circuitCount, elements);
        } else {
            if (elements.capCircuit != 0) revert ISettlements.SettlementCapInvalid(elements.capCircuit);
            seed = _seed(record, elements, header.isDefault);
        }
        elements.writeHeader(record.word, record.modelId, header.cap, isActivation, seed);

        statement.circuit = settlement.circuit;
        statement.commitment = settlement.commitment;
        statement.challenge = deriveChallenge(
            circuitId, settlement.commitment, hashElements(elements.start, elements.count)
        );
        // The record's word was checked with its batch's elements or when it was pre-verified, the chain above; the rest
        // has its widths.
        statement.evaluation =
            evaluateElements(elements.start, elements.count, elements.count, statement.challenge);
        (header.epoch, header.voidCount, header.burnedWei, header.capCircuit) =
            (elements.epoch, elements.voidCount, elements.burnedWei, elements.capCircuit);
    }

    /// @dev Most payments of the epochs of a model: those of the circuit that its activation names. The batch's proof shows
    /// that the model's key signed them.
    function _cap(uint256 circuitCount, SettlementElements.Elements memory elements) private pure returns (uint256) {
        (, uint256 sort, uint256 payments, uint256 payees) = _circuit(circuitCount, elements.capCircuit);
        if (sort != SORT_SETTLEMENT) revert ISettlements.SettlementCapInvalid(elements.capCircuit);
        elements.requireFits(payees);
        return payments;
    }

    /// @dev What draws the payments of the epoch; 0 for a default split, which draws none.
    function _seed(Record calldata record, SettlementElements.Elements memory elements, bool isDefault)
        private
        view
        returns (uint256)
    {
        ISettlements rollup = ISettlements(msg.sender);
        uint256 closingBatch = elements.closingBatch;
        // Pre-verified.
        if (record.batchNumber == 0) {
            uint256 earliest = _closingTime(closingBatch) + rollup.OPEN_SETTLEMENT_DELAY();
            if (block.timestamp < earliest) {
                revert ISettlements.SettlementStrangerTooEarly(closingBatch, earliest, block.timestamp);
            }
        }
        if (isDefault) {
            uint256 earliest = _closingTime(closingBatch) + rollup.DEFAULT_SPLIT_DELAY();
            if (block.timestamp < earliest) {
                revert ISettlements.SettlementDefaultTooEarly(closingBatch, earliest, block.timestamp);
            }
            return 0;
        }
        uint256 prevRandao = rollup.randomness(closingBatch);
        if (prevRandao == 0) revert ISettlements.SettlementRandomnessMissing(closingBatch);
        // The lower 128 bits.
        return uint128(
            uint256(keccak256(abi.encode(prevRandao, record.modelId, elements.epoch, elements.chain)))
        );
    }

    function _closingTime(uint256 closingBatch) private view returns (uint256 timestamp) {
        (, timestamp) = ISettlements(msg.sender).closedAt(closingBatch);
        if (timestamp == 0) revert ISettlements.SettlementCloseUnknown(closingBatch);
    }

    /// @dev Of the words behind the code.
    function _circuit(uint256 circuitCount, uint256 index)
        private
        pure
        returns (bytes32 circuitId, uint256 sort, uint256 size0, uint256 size1)
    {
        if (index >= circuitCount) revert IBatchVerifier.VerifierCircuitUnknown(index, circuitCount);
        uint256 ptr;
        assembly ("memory-safe") {
            // Beyond the free pointer and not kept.
            ptr := mload(0x40)
            codecopy(ptr, sub(codesize(), mul(CIRCUIT_SIZE, sub(circuitCount, index))), add(ID_AT, 0x20))
        }
        return (bytes32(loadWord(ptr + ID_AT)), loadWord(ptr), loadWord(ptr + 0x20), loadWord(ptr + 0x40));
    }
}
