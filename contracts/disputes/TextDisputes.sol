// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {IDisputes} from "./IDisputes.sol";
import {JudgedDisputes} from "./JudgedDisputes.sol";
import {LedgerMath} from "./LedgerMath.sol";
import {LedgerTraces} from "./LedgerTraces.sol";
import {TextTrees} from "./TextTrees.sol";

/// @title Rows of G of a language model: a window in which anyone shows a false one
/// @notice docs/explanation/fault-proofs.md. A row's real features are the end of a pass of the model over the row, as a query is: whoever
/// says that they are others plays a game (LedgerTraces). All else, how G is made of them, which tokens a row has, what it
/// shares with others, is shown in one transaction, of this contract or its judges. TextTrees says what is posted.
///
/// Only a model is posted whose settlements wait for claims already (LedgerTraces). That contract binds what the trace is.
contract TextDisputes is JudgedDisputes {
    /// @dev Each row's features are words of eight floats.
    uint256 private constant WORD_FLOATS = 8;

    /// @notice Games about rows, and where the model is registered.
    LedgerTraces public immutable games;

    /// @notice The games are about rows of another contract, or somebody else speaks for them.
    error TextGamesInvalid();
    /// @notice The rollup's model is not registered with these statics and this trace.
    error TextModelUnregistered(address rollup, uint256 modelId);

    /// @param judges_ TextJudge, TextTokens, TextOverlap.
    constructor(
        uint256 windowSeconds_,
        uint256 leastBondWei_,
        uint256 availabilityChallengeFeeWei_,
        LedgerMath math_,
        address[] memory judges_,
        LedgerTraces games_
    ) JudgedDisputes(windowSeconds_, leastBondWei_, availabilityChallengeFeeWei_, math_, judges_) {
        if (address(games_.modelCommitments()) != address(this)) revert TextGamesInvalid();
        games = games_;
    }

    /// @notice Refutes a model commitment of which a game has refuted a row: from the games alone. The reward is the game's challenger's.
    /// @dev The model commitment did not count before: the game was open. Another row, or something else, may have refuted it.
    function refuteRow(uint256 id, uint256 row, address challenger) external {
        if (msg.sender != address(games)) revert TextGamesInvalid();
        ModelCommitment storage modelCommitment = modelCommitments[id];
        if (!modelCommitment.isRefuted) _refute(id, modelCommitment, challenger, Fault.Row, row);
    }

    /// @inheritdoc IDisputes
    /// @dev Attack: a window that ends while a game about a row is open.
    function counts(uint256 id) public view override returns (bool) {
        return games.rowGamesOf(id) == 0 && super.counts(id);
    }

    // What e-mails have and texts have not.

    /// @inheritdoc IDisputes
    function challengeDuplicate(
        uint256, Statement calldata, uint256, uint256, Opening calldata, Opening calldata, Opening calldata,
        Opening calldata, Opening calldata
    ) external pure override {
        revert DisputesOtherKind();
    }

    /// @inheritdoc IDisputes
    function challengeInput(
        uint256, Statement calldata, uint256, uint256, Opening calldata, Opening calldata
    ) external pure override {
        revert DisputesOtherKind();
    }

    /// @inheritdoc IDisputes
    function challengeOptimum(
        uint256, Statement calldata, uint256, bytes calldata, bytes calldata, Opening calldata
    ) external pure override {
        revert DisputesOtherKind();
    }

    function _requireVersion(
        Statement calldata statement,
        address rollup,
        DatanetLeaf calldata leaf,
        uint256[8][] calldata path
    ) internal view override {
        // Attack: what the trace is, told as a number of which nobody knows a preimage: no challenge could show it. That
        // contract was shown it.
        (uint256 statics, bytes32 tracing,,) = games.models(rollup, statement.modelId);
        if (statics != statement.staticsHash || tracing != statement.weights || tracing == 0) {
            revert TextModelUnregistered(rollup, statement.modelId);
        }
        super._requireVersion(statement, rollup, leaf, path);
    }

    /// @dev Attack: a unit that is no positive double is no unit of anything.
    function _hasColumns(Statement calldata statement) internal pure override returns (bool) {
        uint256 exponent = statement.decay >> 52;
        return super._hasColumns(statement) && statement.bucketCount <= statement.columnCount
            && statement.bucketCount % WORD_FLOATS == 0 && exponent != 0 && exponent < 0x7ff;
    }

    function _treeOf(Statement calldata statement, Tree tree) internal pure override returns (bytes32, uint256) {
        return TextTrees.treeOf(statement, tree);
    }

    /// @dev Attack: rows posted for another kind of model, whose activation asks for less.
    function _isStatics(Statement calldata statement, uint256 columns, uint256) internal view override returns (bool) {
        return TextTrees.isStatics(_math, statement, columns);
    }
}
