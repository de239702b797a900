// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {IActivationGate, ISettlementGate} from "../rollup/settlements/IActivationGate.sol";
import {IDisputes} from "./base/IDisputes.sol";
import {IFamilyJudge} from "./IFamilyJudge.sol";
import {LedgerMath} from "./base/LedgerMath.sol";
import {Openings} from "./base/Openings.sol";
import {PoseidonHash} from "./base/PoseidonHash.sol";
import {RowArithmetic} from "./base/RowArithmetic.sol";

/// @dev The rollup's state, of which the root comes first.
interface ILedgerRoot {
    function state() external view returns (uint256 root);
}

/// @dev What the registry asks of LedgerTraces.
interface IRowGames {
    function modelCommitments() external view returns (address);
    function rowGamesOf(uint256 id) external view returns (uint256);
    function admissions(address rollup, uint256 modelId, uint256 word) external view returns (uint256 id);
    function settlesFor(address rollup, uint256 modelId, uint256 commitment) external view returns (bool);
    function models(address rollup, uint256 modelId)
        external
        view
        returns (uint256 statics, bytes32 tracing, uint16 columnCount, uint8 drawBits);
}

/// @title The registry of committed models: a window in which anyone shows one wrong place, and the gate that a rollup asks
/// @notice A model's owner posts what the model is made of, as roots, with a bond. Until the window ends anyone may show one place
/// that is wrong, in one transaction. Then the model commitment is refuted for good: half of its bond is the challenger's, the
/// other half is burned. The other half is what a liar loses who challenges himself. A model commitment counts once its window
/// has ended without that, without an open game about a row, and without a data-availability challenge that nobody has answered.
///
/// Window, bond, data-availability challenges and admissions are the same for all models. What is right of a place is said by the
/// judges of the model's family: contracts without state, which are asked with the very bytes that are shown. Families are given
/// at the deployment, and never change.
///
/// What it assumes: one honest party recomputes the model in time, and L1 takes its transaction.
/// What a model commitment says of the ledger is tied to it: points and rules hash to `staticsHash`, rows to `rowsRoot`, and
/// `commitModel` shows that root in the rollup's state: no window passes for rows that the ledger does not have yet. So a rollup
/// can ask `admits` before it takes a model's Activation.
/// @dev Holds exactly: bonds of model commitments that are neither refuted nor returned, fees of data-availability challenges
/// that are neither given back nor returned with a bond, and what is owed.
contract ModelCommitments is IDisputes, IActivationGate, ISettlementGate {
    /// @notice Seconds that an owner has to show what was challenged.
    uint256 public constant ANSWER_SECONDS = 1 days;
    /// @notice Shortest window that can be deployed: five rounds of asking and answering, and time to challenge.
    uint256 public constant LEAST_WINDOW_SECONDS = 7 days;
    /// @notice What admits a model that is registered as one without challenges, under rollup 0.
    uint256 public constant UNCHALLENGED = type(uint256).max;
    uint256 private constant MOST_FAMILIES = 8;
    /// @dev What one transaction can be shown of: 2^24 gas (EIP-7825), and 128 KiB, of which nodes take no more.
    uint256 private constant MOST_ROWS = 2_048;
    uint256 private constant MOST_BUCKETS = 4_096;
    uint256 private constant LEAST_CLIP_SLACKS = 8;
    /// @dev No right leaf is longer: a row of the map has a number a bucket, and one for the bias.
    uint256 private constant MOST_LEAF_BYTES = 8 * (MOST_BUCKETS + 1);
    /// @dev Words of a Statement: its fields are of fixed size.
    uint256 private constant STATEMENT_BYTES = 24 * 32;
    uint256 private constant VERDICT_BYTES = 96;
    /// @dev An availability fee is at most so many of the least ones: what a watcher gives pays for eight leaves at any base fee.
    uint256 private constant MOST_FEES = 60;
    /// @dev Gas a byte of a call, of which none is 0: no call pays more (EIP-7623).
    uint256 private constant BYTE_GAS = 40;
    /// @dev Of one transaction: clients pass on no more.
    uint256 private constant MOST_PAID_BYTES = 131_072;
    /// @dev Gas of a challenger's moves in a game that is won: as LedgerTraces pays them.
    uint256 private constant ROW_CHALLENGERS_GAS = 3_000_000;
    uint256 private constant R = PoseidonHash.R;
    // Tags of docs/reference/ledger.md.
    uint256 private constant NODE = 2;
    uint256 private constant DATANET_BODY = 8;
    uint256 private constant DATANET_LEAF = 258;
    uint256 private constant TREE_DEPTH = 8;

    /// @param rules What its first judge says of them. @param judges Their places are their numbers.
    /// @param hasGames Whether some places are shown in games alone (LedgerTraces), where its models are registered first.
    struct Family {
        bytes32 rules;
        address[] judges;
        bool hasGames;
    }

    struct ModelCommitment {
        address owner;
        uint64 endsAt;
        bool isRefuted;
        /// @dev 0 once it was returned or forfeited.
        uint96 bondWei;
        uint32 openAvailabilityChallenges;
        bytes32 statementHash;
        /// @dev In whose state the rows are, and which may take the model's Activation.
        address rollup;
        uint8 family;
        uint16 rowCount;
        uint16 columnCount;
    }

    struct AvailabilityChallenge {
        address who;
        /// @dev 0 of what was asked for without a fee.
        uint96 feeWei;
        uint64 answerBy;
        /// @dev It stays so: who has asked is kept, since a refuted model commitment's fees go back.
        bool isAnswered;
    }

    uint256 public immutable windowSeconds;
    uint256 public immutable leastBondWei;
    /// @notice The least one for the longest leaf: `availabilityFeeFor` says what it is of a tree at a base fee.
    uint256 public immutable availabilityChallengeFeeWei;
    /// @notice Computes what the ledger does.
    LedgerMath public immutable math;
    /// @notice Games over rows and queries; 0 where no family has them.
    IRowGames public immutable games;
    Family[] private _families;

    uint256 public modelCommitmentCount;
    mapping(uint256 id => ModelCommitment) public modelCommitments;
    mapping(address who => uint256) public owedWei;
    /// @notice By which model commitment a rollup may take the Activation of this model with this word J; 0 for none.
    /// UNCHALLENGED is kept under rollup 0.
    mapping(address rollup => mapping(uint256 modelId => mapping(uint256 word => uint256 id))) public admissions;
    /// @notice Whether its last leaves were asked for without a fee.
    mapping(uint256 id => bool) public isRequested;
    /// @notice Fees of its leaves that were shown: the owner's with the bond, once the model commitment counts.
    mapping(uint256 id => uint256) public earnedWei;
    mapping(uint256 id => mapping(Tree => mapping(uint256 index => AvailabilityChallenge))) private
        _availabilityChallenges;

    /// @param games_ Which name this contract as the one that they are about: its address is known by its nonce.
    constructor(
        uint256 windowSeconds_,
        uint256 leastBondWei_,
        uint256 availabilityChallengeFeeWei_,
        LedgerMath math_,
        IRowGames games_,
        Family[] memory families_
    ) {
        if (windowSeconds_ < LEAST_WINDOW_SECONDS) {
            revert DisputesWindowTooShort(windowSeconds_, LEAST_WINDOW_SECONDS);
        }
        if (address(games_) != address(0) && games_.modelCommitments() != address(this)) revert DisputesGamesInvalid();
        if (families_.length == 0 || families_.length > MOST_FAMILIES) revert DisputesFamilyInvalid(families_.length);
        for (uint256 i; i < families_.length; i++) {
            Family memory given = families_[i];
            bool isFamily = given.judges.length != 0 && IFamilyJudge(given.judges[0]).rules() == given.rules
                && (!given.hasGames || address(games_) != address(0));
            if (!isFamily) revert DisputesFamilyInvalid(i);
            Family storage kept = _families.push();
            (kept.rules, kept.judges, kept.hasGames) = (given.rules, given.judges, given.hasGames);
        }
        windowSeconds = windowSeconds_;
        leastBondWei = leastBondWei_;
        availabilityChallengeFeeWei = availabilityChallengeFeeWei_;
        (math, games) = (math_, games_);
    }

    /// @notice All families, by their numbers. They never change.
    function families() external view returns (Family[] memory) {
        return _families;
    }

    /// @notice Posts a model, and shows that `rowsRoot` is that of the datanet's version in the rollup's latest state. It
    /// fails where a batch came between; then it is sent again. Several model commitments of one model may stand side by side: a
    /// stranger's false one hurts nobody.
    /// @param family By whose rules it is judged. @param rollup Whose Activation it is for. Nobody asks whether it is one: a
    /// model commitment counts for this address alone. @param path All children on the way from the datanet's leaf to the root.
    /// @param posted What all else follows from.
    /// @return id 1, 2, …
    /// @dev Attack: facts and weights that are right and not those that one computes, so that each has to be asked for, around a
    /// false one.
    function commitModel(
        uint8 family,
        Statement calldata statement,
        address rollup,
        DatanetLeaf calldata leaf,
        uint256[8][] calldata path,
        PostedLeaves calldata posted
    ) external payable returns (uint256 id) {
        if (msg.value < leastBondWei || msg.value > type(uint96).max) {
            revert DisputesBondTooSmall(msg.value, leastBondWei);
        }
        if (family >= _families.length) revert DisputesFamilyInvalid(family);
        if (
            statement.rowCount == 0 || statement.rowCount > MOST_ROWS || statement.bucketCount == 0
                || statement.bucketCount > MOST_BUCKETS || !_isInRange(statement) || !_judgeOf(family).hasSizes(statement)
        ) revert DisputesStatementInvalid();
        if (!math.isReady(statement.rowCount)) revert DisputesConstantsMissing(address(math));
        if (_families[family].hasGames) _requireRegistered(statement, rollup);
        _requireVersion(statement, rollup, leaf, path);
        Openings.requireFacts(statement, posted.facts);
        id = ++modelCommitmentCount;
        uint256 endsAt = block.timestamp + windowSeconds;
        // Narrowing casts: 2^64 seconds do not come, the bond was compared.
        modelCommitments[id] = ModelCommitment({
            owner: msg.sender,
            endsAt: uint64(endsAt),
            isRefuted: false,
            bondWei: uint96(msg.value),
            openAvailabilityChallenges: 0,
            statementHash: keccak256(abi.encode(statement)),
            rollup: rollup,
            family: family,
            rowCount: uint16(statement.rowCount),
            columnCount: statement.columnCount
        });
        emit ModelCommitted(id, statement.modelId, msg.sender, statement, msg.value, endsAt, rollup, family);
        _requirePosted(id, statement, posted.leaves);
        emit LeavesPosted(id, posted);
    }

    /// @notice Refutes a model commitment by what a judge finds wrong.
    /// @param judge Its number in the family. @param shown Call of one of its functions; their first argument is the statement.
    function challenge(uint256 id, uint256 judge, bytes calldata shown) external {
        uint256 gasBefore = gasleft();
        ModelCommitment storage modelCommitment = _open(id);
        if (
            shown.length < 4 + STATEMENT_BYTES
                || keccak256(shown[4:4 + STATEMENT_BYTES]) != modelCommitment.statementHash
        ) revert DisputesOtherStatement(id);
        (bool isDone, bytes memory verdict) = _families[modelCommitment.family].judges[judge].staticcall(shown);
        if (!isDone && verdict.length != 0) {
            assembly ("memory-safe") {
                revert(add(verdict, 32), mload(verdict))
            }
        }
        if (!isDone || verdict.length != VERDICT_BYTES) revert DisputesJudgeUnknown(judge);
        (bool isRight, Fault fault, uint256 place) = abi.decode(verdict, (bool, Fault, uint256));
        if (isRight) revert DisputesNothingWrong(fault, place);
        // As it was used: nobody is paid for gas that was not. Bytes beyond a transaction's come from a contract, which pays none.
        uint256 usedGas =
            gasBefore - gasleft() + BYTE_GAS * (msg.data.length < MOST_PAID_BYTES ? msg.data.length : MOST_PAID_BYTES);
        _refute(id, modelCommitment, msg.sender, fault, place, usedGas);
    }

    /// @notice Refutes a model commitment of which a game has refuted a row: from the games alone. The reward is the game's challenger's.
    /// @dev The model commitment did not count before: the game was open. Another row, or something else, may have refuted it.
    function refuteRow(uint256 id, uint256 row, address challenger) external {
        if (msg.sender != address(games)) revert DisputesGamesInvalid();
        ModelCommitment storage modelCommitment = modelCommitments[id];
        if (modelCommitment.isRefuted) return;
        _refute(id, modelCommitment, challenger, Fault.Row, row, ROW_CHALLENGERS_GAS);
    }

    /// @notice Asks for a leaf that is not published. The fee is `availabilityFeeFor` this block's base fee; what is paid above it
    /// is owed to the caller. It pays the owner for showing the leaf, if the model commitment counts; of a refuted one it comes back,
    /// whether the leaf was shown or not. Unanswered it refutes. It takes the place of a request without a fee, which has more time.
    /// @dev Attack: a leaf that was shown is asked for again, and again. Attack: an owner who serves nothing, and lives on fees.
    function challengeAvailability(uint256 id, Tree tree, uint256 index) external payable {
        ModelCommitment storage modelCommitment = _askable(id);
        uint256 neededWei = availabilityFeeFor(id, tree, block.basefee);
        if (msg.value < neededWei || neededWei > type(uint96).max) revert DisputesFeeWrong(msg.value, neededWei);
        AvailabilityChallenge storage asked = _availabilityChallenges[id][tree][index];
        if (asked.who == address(0)) modelCommitment.openAvailabilityChallenges++;
        else if (asked.feeWei != 0 || asked.isAnswered) revert DisputesAlreadyAvailabilityChallenged(tree, index);
        owedWei[msg.sender] += msg.value - neededWei;
        _ask(id, tree, index, block.timestamp + ANSWER_SECONDS, neededWei);
    }

    /// @notice Asks for the last leaf of each tree without a fee: once of a model commitment, by anybody. They are due a day before
    /// its window ends, so that what is shown can still be challenged; unanswered they refute.
    /// @dev Attack: an owner who serves nothing. Whoever looks has nothing to show, and would have to pay for every leaf.
    function requestLeaves(uint256 id, Statement calldata statement) external {
        ModelCommitment storage modelCommitment = _askable(id);
        _requireStated(id, statement);
        if (isRequested[id]) revert DisputesAlreadyRequested(id);
        isRequested[id] = true;
        IFamilyJudge judge = _judgeOf(modelCommitment.family);
        uint256 answerBy = modelCommitment.endsAt - ANSWER_SECONDS;
        for (uint256 i; i <= uint256(type(Tree).max); i++) {
            Tree tree = Tree(i);
            (, uint256 count) = judge.treeOf(statement, tree);
            if (count == 0 || _availabilityChallenges[id][tree][count - 1].who != address(0)) continue;
            modelCommitment.openAvailabilityChallenges++;
            _ask(id, tree, count - 1, answerBy, 0);
        }
    }

    /// @notice Shows challenged leaves, in events, and passes over those that were shown before, or are shown too late. Open to all;
    /// the fees are the owner's, whoever shows them.
    /// @dev Attack: a stranger who asks, copies the owner's answer out of the pool, and takes the fee back with it. Attack: the
    /// same copies one of many answers. Attack: more leaves asked for in a block than one transaction each shows in a day.
    /// Attack: a leaf that is first shown when nobody can challenge it any more, where nobody has said before that it is late.
    function answer(uint256 id, Statement calldata statement, ShownLeaf[] calldata leaves) external {
        ModelCommitment storage modelCommitment = _open(id);
        _requireStated(id, statement);
        IFamilyJudge judge = _judgeOf(modelCommitment.family);
        bool isAny;
        for (uint256 i; i < leaves.length; i++) {
            (Tree tree, uint256 index) = (leaves[i].tree, leaves[i].index);
            Opening calldata leaf = leaves[i].leaf;
            AvailabilityChallenge storage asked = _availabilityChallenges[id][tree][index];
            if (asked.who == address(0) || asked.isAnswered || block.timestamp > asked.answerBy) continue;
            isAny = true;
            _requireShown(statement, judge, leaves[i]);
            asked.isAnswered = true;
            modelCommitment.openAvailabilityChallenges--;
            earnedWei[id] += asked.feeWei;
            emit Answered(id, tree, index, leaf.data, leaf.path, leaves[i].holders, leaves[i].versionPath);
        }
        if (!isAny) revert DisputesNoAvailabilityChallenge(leaves[0].tree, leaves[0].index);
    }

    /// @notice Refutes a model commitment whose challenged leaf nobody has shown in time, and gives the fee back. Of a model commitment that
    /// is refuted already it gives the fee back, of a leaf that was shown as well.
    function challengeUnanswered(uint256 id, Tree tree, uint256 index) external {
        ModelCommitment storage modelCommitment = modelCommitments[id];
        AvailabilityChallenge memory asked = _availabilityChallenges[id][tree][index];
        bool isRefuted = modelCommitment.isRefuted;
        if (asked.who == address(0) || (asked.isAnswered && !isRefuted)) {
            revert DisputesNoAvailabilityChallenge(tree, index);
        }
        if (!isRefuted) {
            if (block.timestamp <= asked.answerBy) revert DisputesNotOver(id);
            _refute(id, modelCommitment, asked.who, Fault.Unanswered, index, 0);
        }
        // Given back once: nobody asks for leaves of a refuted model commitment.
        delete _availabilityChallenges[id][tree][index];
        if (!asked.isAnswered) modelCommitment.openAvailabilityChallenges--;
        owedWei[asked.who] += asked.feeWei;
    }

    /// @notice Gives the bond back once a model commitment counts, and with it the fees of leaves that were shown.
    function returnBond(uint256 id) external {
        if (!counts(id)) revert DisputesNotOver(id);
        ModelCommitment storage modelCommitment = modelCommitments[id];
        // Once it counts, nobody asks for a leaf: what is earned was earned.
        uint256 amountWei = modelCommitment.bondWei + earnedWei[id];
        if (amountWei == 0) revert DisputesNothingToWithdraw(modelCommitment.owner);
        (modelCommitment.bondWei, earnedWei[id]) = (0, 0);
        owedWei[modelCommitment.owner] += amountWei;
        emit BondReturned(id, modelCommitment.owner, amountWei);
    }

    /// @notice Pays what is owed to an address. Open to all.
    function withdraw(address payable who) external {
        uint256 amountWei = owedWei[who];
        if (amountWei == 0) revert DisputesNothingToWithdraw(who);
        owedWei[who] = 0;
        emit Withdrawn(who, amountWei);
        _pay(who, amountWei);
    }

    /// @notice Lets the model commitment's rollup take the Activation of a model whose model commitment counts. Open to all.
    /// The statics have to open as those of the family's models: another one is never admitted, whatever was posted of it.
    /// @param cap Most payments of an epoch, which the Activation states. @param columns, damping As IFamilyJudge.isStatics.
    function admit(uint256 id, Statement calldata statement, uint256 cap, uint256 columns, uint256 damping) external {
        _requireStated(id, statement);
        if (!counts(id)) revert DisputesNotOver(id);
        ModelCommitment storage modelCommitment = modelCommitments[id];
        // Attack: a model of another family, which no watcher of this one can read, posted here with a lie about its family.
        if (!_judgeOf(modelCommitment.family).isStatics(statement, columns, damping)) revert DisputesStaticsInvalid();
        _admit(modelCommitment.rollup, id, statement.modelId, statement.staticsHash, cap, statement.payeeRoot);
    }

    /// @notice Lets every rollup take the Activation of a model that is registered as one without challenges: its answering
    /// hash is a SHA-256, in each of its shards. Open to all: its statics said so when it was created.
    /// @param preimage What the SHA-256 is of. @param columns Commitment to the columns of each shard.
    /// @param rest ownersCommitment, payeeRoot, binding, split.
    function admitUnchallenged(
        uint24 modelId,
        bytes calldata preimage,
        uint256[] calldata columns,
        uint256[4] calldata rest,
        uint256 cap
    ) external {
        uint256 statics = math.statics(columns, uint256(sha256(preimage)) % R, rest);
        _admit(address(0), UNCHALLENGED, modelId, statics, cap, rest[1]);
    }

    /// @inheritdoc IActivationGate
    /// @dev Attack: an admission for another rollup. So only those for the caller, and for all, are looked at.
    function admits(uint256 modelId, uint256 word) external view returns (bool) {
        return admissions[msg.sender][modelId][word] != 0 || admissions[address(0)][modelId][word] != 0
            || (address(games) != address(0) && games.admissions(msg.sender, modelId, word) != 0);
    }

    /// @inheritdoc ISettlementGate
    function refuses(uint256 modelId, uint256 commitment) external view returns (bool) {
        return address(games) != address(0) && !games.settlesFor(msg.sender, modelId, commitment);
    }

    /// @notice What a data-availability challenge of a leaf of this tree costs at a base fee: two answers with the tree's longest
    /// leaf, since the owner has a day, and the base fee rises meanwhile. Within bounds, which are those of the longest leaf of all.
    function availabilityFeeFor(uint256 id, Tree tree, uint256 baseFeeWei) public view returns (uint256) {
        ModelCommitment storage modelCommitment = modelCommitments[id];
        (uint256 rowCount, uint256 columnCount) = (modelCommitment.rowCount, modelCommitment.columnCount);
        // Of rows and token lists no size follows; a row is hashed up to its version, too.
        uint256 leafBytes = MOST_LEAF_BYTES;
        if (tree == Tree.Facts) leafBytes = Openings.FACT_BYTES;
        else if (tree == Tree.Points) leafBytes = Openings.POINT_BYTES * Openings.LEAF_POINTS;
        else if (tree == Tree.Features) leafBytes = 2 * columnCount;
        else if (tree == Tree.Columns) leafBytes = 2 * (rowCount + 1);
        else if (tree == Tree.Inputs) leafBytes = 4 * rowCount;
        else if (tree == Tree.Weights) leafBytes = 8 * columnCount;
        // A row of a matrix, or of each row its size.
        else if (tree == Tree.Map) leafBytes = 2 * (4 * columnCount > rowCount ? 4 * columnCount : rowCount);
        uint256 longestWei = _within(
            2 * _answerGas(MOST_LEAF_BYTES) * baseFeeWei,
            availabilityChallengeFeeWei,
            MOST_FEES * availabilityChallengeFeeWei
        );
        return longestWei * _answerGas(leafBytes) / _answerGas(MOST_LEAF_BYTES);
    }

    /// @dev Some 40 gas a byte (EIP-7623) and what is around them; the event takes less than the floor leaves.
    function _answerGas(uint256 leafBytes) private pure returns (uint256) {
        return 110_000 + 45 * leafBytes;
    }

    /// @notice Whether the window has ended, nothing wrong was shown, and neither a data-availability challenge nor a game about
    /// a row is open.
    /// @dev Attack: a window that ends while a game about a row is open.
    function counts(uint256 id) public view returns (bool) {
        ModelCommitment storage modelCommitment = modelCommitments[id];
        return modelCommitment.owner != address(0) && !modelCommitment.isRefuted
            && modelCommitment.openAvailabilityChallenges == 0 && block.timestamp >= modelCommitment.endsAt
            && (!_families[modelCommitment.family].hasGames || games.rowGamesOf(id) == 0);
    }

    /// @notice Of a model commitment whose rows a game may be about, and whose statement has this hash; else the owner is 0.
    function rowsOf(uint256 id, bytes32 statementHash)
        external
        view
        returns (address owner, uint64 endsAt, address rollup)
    {
        ModelCommitment storage modelCommitment = modelCommitments[id];
        bool isPlayed = !modelCommitment.isRefuted && modelCommitment.statementHash == statementHash
            && _families[modelCommitment.family].hasGames;
        if (isPlayed) return (modelCommitment.owner, modelCommitment.endsAt, modelCommitment.rollup);
    }

    /// @dev Attack: what the trace is, told as a number of which nobody knows a preimage: no challenge could show it. The games
    /// were shown it.
    function _requireRegistered(Statement calldata statement, address rollup) private view {
        (uint256 statics, bytes32 tracing,,) = games.models(rollup, statement.modelId);
        if (statics != statement.staticsHash || tracing != statement.weights || tracing == 0) {
            revert DisputesModelUnregistered(rollup, statement.modelId);
        }
    }

    /// @dev The datanet's version in the rollup's latest state has these rows.
    function _requireVersion(
        Statement calldata statement,
        address rollup,
        DatanetLeaf calldata leaf,
        uint256[8][] calldata path
    ) private view {
        uint256 binding = statement.binding;
        uint256[] memory body = new uint256[](7);
        (body[0], body[1]) = (uint32(binding >> 24), statement.rowCount);
        (body[2], body[3]) = (leaf.publishedAt, leaf.policy);
        (body[4], body[5], body[6]) = (statement.rowsRoot, statement.ownersCommitment, statement.payeeRoot);
        uint256 hashed = math.leafHash(DATANET_LEAF, leaf.fields, math.hash(DATANET_BODY, body));
        uint256 root = ILedgerRoot(rollup).state();
        uint256 reached = path.length == TREE_DEPTH ? math.rootOf(NODE, uint24(binding), hashed, path) : 0;
        if (reached != root || root == 0) revert DisputesRootMismatch(root, reached);
    }

    /// @dev They count as shown: nobody asks for them.
    function _requirePosted(uint256 id, Statement calldata statement, ShownLeaf[] calldata leaves) private {
        IFamilyJudge judge = _judgeOf(modelCommitments[id].family);
        LeafPlace[] memory places = judge.postedLeaves(statement);
        for (uint256 i; i < places.length; i++) {
            (Tree tree, uint256 index) = (places[i].tree, places[i].index);
            if (leaves.length != places.length || leaves[i].tree != tree || leaves[i].index != index) {
                revert DisputesOpeningInvalid(tree, index);
            }
            _requireShown(statement, judge, leaves[i]);
            _availabilityChallenges[id][tree][index] = AvailabilityChallenge(msg.sender, 0, 0, true);
        }
    }

    /// @dev The bytes are the leaf's; of a row, the content that the datanet's version has at this place, too.
    /// Attack: a model of other rows than the version's, whose contents no watcher has.
    function _requireShown(Statement calldata statement, IFamilyJudge judge, ShownLeaf calldata shown) private view {
        (Tree tree, uint256 index, Opening calldata leaf) = (shown.tree, shown.index, shown.leaf);
        (bytes32 root, uint256 count) = judge.treeOf(statement, tree);
        // Nobody can show what is not there: a data-availability challenge for it is answered by its number.
        // Attack: bytes that nothing checks, in events that are more than a node's client takes.
        bool isThere = index < count;
        if (isThere) Openings.requireOpening(root, count, tree, index, leaf);
        else if (leaf.data.length + leaf.path.length != 0) revert DisputesOpeningInvalid(tree, index);
        // Attack: a leaf that fits into an answer, and beside the other leaves into no challenge.
        if (leaf.data.length > MOST_LEAF_BYTES) revert DisputesOpeningInvalid(tree, index);
        if (!isThere || tree != Tree.Rows) {
            if (shown.versionPath.length != 0) revert DisputesOpeningInvalid(tree, index);
            return;
        }
        uint256[3] memory row = [uint256(sha256(leaf.data)) % R, shown.holders[0], shown.holders[1]];
        Openings.requireVersionRow(math, statement.rowsRoot, index, row, shown.versionPath);
    }

    /// @dev A model commitment of which leaves can be asked for: what is shown of it can still be challenged.
    function _askable(uint256 id) private view returns (ModelCommitment storage modelCommitment) {
        modelCommitment = _open(id);
        uint256 latest = modelCommitment.endsAt - 2 * ANSWER_SECONDS;
        if (block.timestamp >= latest) revert DisputesAvailabilityChallengeTooLate(latest);
    }

    function _ask(uint256 id, Tree tree, uint256 index, uint256 answerBy, uint256 feeWei) private {
        // Narrowing casts: 2^64 seconds do not come, the fee was compared.
        _availabilityChallenges[id][tree][index] =
            AvailabilityChallenge(msg.sender, uint96(feeWei), uint64(answerBy), false);
        emit AvailabilityChallenged(id, tree, index, msg.sender, answerBy, feeWei);
    }

    /// @dev A model commitment that can still be refuted. An open data-availability challenge keeps it so beyond its window.
    function _open(uint256 id) private view returns (ModelCommitment storage modelCommitment) {
        modelCommitment = modelCommitments[id];
        if (modelCommitment.owner == address(0)) revert DisputesUnknown(id);
        if (modelCommitment.isRefuted) revert DisputesAlreadyRefuted(id);
        if (counts(id)) revert DisputesOver(id);
    }

    function _requireStated(uint256 id, Statement calldata statement) private view {
        bytes32 posted = modelCommitments[id].statementHash;
        if (posted == 0) revert DisputesUnknown(id);
        if (keccak256(abi.encode(statement)) != posted) revert DisputesOtherStatement(id);
    }

    function _judgeOf(uint256 family) private view returns (IFamilyJudge) {
        return IFamilyJudge(_families[family].judges[0]);
    }

    /// @dev Attack: a number and the same plus r are one element to the hash. As a binding it has other sizes; as a root of
    /// rows no path leads to it.
    /// Attack: where the clip is as short as what rounding adds to a row, every row passes for one that was cut to it, with
    /// any factor. A G in int8 has an entry of 127, so an honest clip is longer.
    function _isInRange(Statement calldata statement) private pure returns (bool) {
        uint256 binding = statement.binding;
        uint256 clip = statement.clipLength;
        return (clip == 0 || clip >= LEAST_CLIP_SLACKS * RowArithmetic.slack(statement.columnCount))
            && statement.staticsHash < R && statement.rowsRoot < R && statement.answering < R
            && statement.ownersCommitment < R && statement.payeeRoot < R && binding >> 127 == 0
            && statement.split >> 32 == 0 && uint32(binding >> 56) == statement.rowCount;
    }

    function _admit(address rollup, uint256 id, uint256 modelId, uint256 statics, uint256 cap, uint256 payeeRoot)
        private
    {
        uint256 word = math.activation(modelId, statics, cap, payeeRoot);
        admissions[rollup][modelId][word] = id;
        emit Admitted(rollup, modelId, word, id);
    }

    /// @dev Attack: an owner who sees a challenge coming challenges himself first. He gets half of his bond back, or up to three
    /// quarters where the challenge has used gas that half of it does not pay. @param usedGas Of who challenges.
    function _refute(
        uint256 id,
        ModelCommitment storage modelCommitment,
        address challenger,
        Fault fault,
        uint256 place,
        uint256 usedGas
    ) private {
        uint256 bondWei = modelCommitment.bondWei;
        uint256 rewardWei = _within(usedGas * block.basefee, bondWei / 2, 3 * bondWei / 4);
        modelCommitment.isRefuted = true;
        modelCommitment.bondWei = 0;
        owedWei[challenger] += rewardWei;
        emit Refuted(id, challenger, fault, place, rewardWei);
        _pay(payable(address(0)), bondWei - rewardWei);
    }

    function _within(uint256 wei_, uint256 leastWei, uint256 mostWei) private pure returns (uint256) {
        if (wei_ < leastWei) return leastWei;
        return wei_ < mostWei ? wei_ : mostWei;
    }

    function _pay(address payable who, uint256 amountWei) private {
        (bool isPaid,) = who.call{value: amountWei}("");
        if (!isPaid) revert DisputesPaymentRefused(who);
    }
}
