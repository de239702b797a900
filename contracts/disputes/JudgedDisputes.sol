// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {Disputes} from "./Disputes.sol";
import {IDisputes} from "./IDisputes.sol";
import {LedgerMath} from "./LedgerMath.sol";

/// @title Model commitments of a kind of models, whose own rules are judged by other contracts
/// @notice Window, bond, data-availability challenges, admissions and the rules of rows are those of Disputes. What differs is judged by contracts
/// without state, since one contract's code has not the room: a judge is asked with the very bytes that are shown.
abstract contract JudgedDisputes is Disputes {
    /// @dev Words of a Statement: its fields are of fixed size.
    uint256 private constant STATEMENT_BYTES = 24 * 32;
    uint256 private constant VERDICT_BYTES = 96;

    /// @notice The same for ever.
    address[] public judges;

    /// @notice The challenge is for another kind of model.
    error DisputesOtherKind();
    /// @notice No judge has this function.
    error DisputesJudgeUnknown(uint256 judge);

    constructor(
        uint256 windowSeconds_,
        uint256 leastBondWei_,
        uint256 availabilityChallengeFeeWei_,
        LedgerMath math_,
        address[] memory judges_
    ) Disputes(windowSeconds_, leastBondWei_, availabilityChallengeFeeWei_, math_) {
        judges = judges_;
    }

    /// @notice Refutes a model commitment by what a judge finds wrong.
    /// @param judge Its number. @param shown Call of one of its functions; their first argument is the statement.
    function challenge(uint256 id, uint256 judge, bytes calldata shown) external {
        ModelCommitment storage modelCommitment = _open(id);
        if (
            shown.length < 4 + STATEMENT_BYTES
                || keccak256(shown[4:4 + STATEMENT_BYTES]) != modelCommitment.statementHash
        ) revert DisputesOtherStatement(id);
        (bool isDone, bytes memory verdict) = judges[judge].staticcall(shown);
        if (!isDone && verdict.length != 0) {
            assembly ("memory-safe") {
                revert(add(verdict, 32), mload(verdict))
            }
        }
        if (!isDone || verdict.length != VERDICT_BYTES) revert DisputesJudgeUnknown(judge);
        (bool isRight, Fault fault, uint256 place) = abi.decode(verdict, (bool, Fault, uint256));
        _judge(id, modelCommitment, isRight, fault, place);
    }
}
