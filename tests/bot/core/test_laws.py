"""Laws the core keeps for every order of events Hypothesis can think of."""

from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.core import preapproved
from bot.core.effects import ForgetCheckpoint, KillJob, Post, StartJob, StopJob
from bot.core.events import (
    DataFetched,
    FetchFailed,
    Gauges,
    JobEnded,
    JobFellSilent,
    LessonsFile,
    LessonTranslated,
    PlanSeen,
    Reacted,
    RowsFetched,
)
from bot.core.moves import now
from bot.core.policy import Policy
from bot.core.state import Admitted, Judged, Settled, State, Unread, Unstarted, would_repeat
from bot.core.tracks import data, insights, ledger
from bot.lessons.judgement import Remedied
from bot.lessons.remedies import judge
from protocol.job import Failed, Trained
from protocol.messages import (
    Acknowledgement,
    Approval,
    Done,
    Handoff,
    Lesson,
    Lessons,
    Order,
    Rejection,
    Talk,
)
from protocol.plan import Plan
from protocol.progress import Found
from protocol.training import TrainingConfig, diff

LESSONS = (
    Lesson(category="학습", text="batch_size 64에서 GPU 메모리 부족으로 학습 중단 발생"),
    Lesson(category="데이터", text="에피소드 첫 50프레임은 카메라 스윙으로 무효"),
    Lesson(category="학습", text="수렴이 느림", remedy="lr=5e-5"),
    Lesson(category="학습", text="알 수 없는 일이 있었음"),
    Lesson(category="시나리오", text="장애물이 부족함"),
    Lesson(category="학습", text="저장을 뜸하게", remedy="save_checkpoint_every=200"),
    Lesson(category="학습", text="GPU 메모리 부족"),
    Lesson(category="학습", text="더 천천히", remedy="lr=2e-5"),
    Lesson(category="학습", text="멀리 보기", remedy="chunk_size=40"),
    Lesson(category="학습", text="오래 따르기", remedy="n_action_steps=40"),
    Lesson(category="학습", text="loss가 발산함"),
    Lesson(category="학습", text="batch_size를 절반으로"),
    Lesson(category="데이터", text="episode_017 제외"),
    Lesson(category="데이터", text="episode_018, 019 제외"),
)
lessons = st.lists(st.sampled_from(LESSONS), max_size=3).map(tuple)
numbers = st.sampled_from((None, 1, 2, 3))

onward = st.tuples(st.just("onward"), st.integers(1, 4))
"""What would happen next if nothing disturbed it; without it few scripts ever reach training."""

moves = st.lists(
    st.one_of(
        *[onward] * 10,
        st.tuples(st.just("watcher"), st.tuples(numbers, lessons)),
        st.tuples(st.just("developer"), st.tuples(numbers, st.sampled_from((None, "gs://b/a", "gs://b/c")))),
        st.tuples(st.just("lessons"), lessons),
        st.tuples(st.just("terms"), lessons),
        st.tuples(
            st.just("translated"), st.sampled_from(({}, {"training.batch_size": 16}, {"training.lr": 5e-5}))
        ),
        st.tuples(st.just("plan"), st.sampled_from((None, 100, 500))),
        st.tuples(st.just("probed"), st.booleans()),
        st.tuples(st.just("rows"), st.none()),
        st.tuples(st.just("fetched"), st.booleans()),
        st.tuples(st.just("checked"), st.booleans()),
        st.tuples(st.just("converted"), st.none()),
        st.tuples(st.just("approve"), st.sampled_from(((), (1,), (2,)))),
        st.tuples(st.just("reject"), st.sampled_from(((), (1,)))),
        st.tuples(st.just("react"), st.booleans()),
        st.tuples(st.just("acknowledge"), st.none()),
        st.tuples(st.just("talk"), st.sampled_from(("status", "lessons", "other"))),
        st.tuples(st.just("order"), st.sampled_from(("stop", "resume", "retry"))),
        st.tuples(st.just("operator"), st.sampled_from(("status", "config", "stop", "retry", "nonsense"))),
        st.tuples(st.just("give up"), st.none()),
        st.tuples(st.just("starts"), st.booleans()),
        st.tuples(st.just("saves"), st.integers(1, 12)),
        st.tuples(st.just("published"), st.integers(1, 12)),
        st.tuples(st.just("best"), st.integers(1, 12)),
        st.tuples(
            st.just("finds"), st.sampled_from(("unheard_of", "device_idle", "device_idle:1", "device_idle:2"))
        ),
        st.tuples(st.just("ends"), st.sampled_from((None, "stopped", "out_of_memory", "error", "trained"))),
        st.tuples(st.just("silent"), st.none()),
        st.tuples(st.just("handed_on"), st.none()),
        st.tuples(st.just("tick"), st.sampled_from((1, 40, 1800, 9000))),
    ),
    max_size=60,
)


def perform(play: Any, script: list[tuple[str, Any]], *, reload: bool = False) -> Any:
    for name, value in script:
        if reload:
            play.state = State.model_validate_json(play.state.model_dump_json())
        MOVES[name](play, value)
    return play


def _hand_over(play: Any, value: Any) -> None:
    number, heard = value
    play.says(play.watcher, Handoff(cycle=number, lessons=heard))


def _bring_data(play: Any, value: Any) -> None:
    number, path = value
    play.says(play.developer, Handoff(cycle=number, data=path))


def _write_plan_anew(play: Any, epochs: int | None) -> None:
    overrides = {} if epochs is None else {"training.epochs": epochs}
    plan = Plan(overrides=overrides, config=TrainingConfig().with_changes(overrides))
    play.happened(PlanSeen(at=play.later(), cycle=play.cycle.number, plan=plan))


def _in_a_cycle(move: Any) -> Any:
    return lambda play, value: move(play, value) if play.state.cycle else None


def _probe(play: Any, usable: bool) -> None:
    if usable:
        play.device_is_proven()
    else:
        play.job_ends(Failed(failure="no_device", message="driver"))


def _fetch(play: Any, good: bool) -> None:
    if good:
        play.data_is_fetched()
    else:
        number = play.cycle.number
        failed = FetchFailed(at=play.later(), cycle=number, cause="no_data", problem="없음")
        play.happened(failed)


def _job_ends(play: Any, how: str | None) -> None:
    match how:
        case None:
            play.job_ends(None, "Killed")
        case "trained":
            play.job_ends(TRAINED)
        case failure:
            play.job_ends(Failed(failure=failure, message="왜"))  # type: ignore[arg-type]


def _fall_silent(play: Any, _: None) -> None:
    run, attempt, heard_at = play.cycle.run_name, play.cycle.attempts, play.at
    silent = JobFellSilent(at=play.later(600), run=run, attempt=attempt, heard_at=heard_at, promised_s=60)
    play.happened(silent)


def _react(play: Any, yes: bool) -> None:
    ref = play.cycle.proposal.refs[0] if play.cycle.proposal else "h0-1"
    play.happened(Reacted(at=play.later(), author=play.watcher, ref=ref, yes=yes))


def _hand_on(play: Any, _: None) -> None:
    if play.cycle.shelf.handing_on:
        play.is_handed_on()


def _go_on(play: Any, steps: int) -> None:
    for _ in range(steps):
        _go_one_step(play)


def _go_one_step(play: Any) -> None:
    if play.state.cycle is None:
        play.says(play.watcher, Handoff())
    cycle = play.cycle
    match cycle.data.phase, cycle.terms.phase, cycle.run.phase:
        case _, "unread", _:
            play.terms_are_read()
        case (("awaited" | "refused"), _, _):
            play.developer_hands_over()
        case "named", _, _:
            _prove(play)
        case (("fetching" | "checking_ahead" | "abandoning"), _, _):
            _fetch_on(play)
        case "checking", _, _:
            play.data_is_checked()
        case "converting", _, _:
            play.data_is_converted()
        case _, "judged", "unstarted":
            _settle(play)
        case _, _, "starting":
            play.training_starts()
        case _, _, "training":
            _train_on(play)
        case _, _, "ended":
            _finish(play)
        case _:
            _let_go_on(play)


def _let_go_on(play: Any) -> None:
    if would_repeat(play.cycle):
        play.says(play.watcher, Order(verb="resume"))
    else:
        play.ticks(9000)


def _fetch_on(play: Any) -> None:
    match play.cycle.data.phase:
        case "fetching":
            play.rows_are_fetched()
        case "checking_ahead":
            play.data_is_fetched()
        case _:
            _job_ends(play, "stopped")


def _settle(play: Any) -> None:
    if play.cycle.proposal is None:
        _translate(play, {})
    else:
        play.says(play.watcher, Approval())


def _translate(play: Any, changes: dict[str, Any]) -> None:
    """The first lesson that waits for it, else one that does not."""
    ledger = getattr(play.cycle.terms, "ledger", ())
    places = [place for place, entry in enumerate(ledger) if entry.status == "translating"]
    number, entry = play.cycle.number, next(iter(places), 0)
    play.happened(LessonTranslated(at=play.later(), cycle=number, entry=entry, changes=changes))


def _prove(play: Any) -> None:
    if play.cycle.device.phase == "probing":
        play.device_is_proven()
    else:
        play.says(play.watcher, Order(verb="retry"))


def _train_on(play: Any) -> None:
    epochs = [one.epoch for one in play.cycle.shelf.checkpoints]
    epoch = max(epochs, default=0) + 50
    play.trainer_says(play.saved("best", epoch))
    play.checkpoint_is_saved(epoch)
    play.checkpoint_is_published(epoch)
    if epoch >= 300:
        play.job_ends(TRAINED)


def _finish(play: Any) -> None:
    for one in play.cycle.shelf.checkpoints:
        play.checkpoint_is_published(one.epoch)
    if play.cycle.shelf.best is None:
        play.trainer_says(play.saved("best", 500))
    best = play.cycle.shelf.best
    assert best is not None
    play.best_is_published(best.epoch)
    _hand_on(play, None)


MOVES = {
    "onward": _go_on,
    "watcher": _hand_over,
    "developer": _bring_data,
    "lessons": lambda play, heard: play.says(play.watcher, Lessons(lessons=heard)),
    "terms": _in_a_cycle(
        lambda play, hints: play.terms_are_read(None, LessonsFile(name="lessons/cycle00.md", lessons=hints))
    ),
    "translated": _in_a_cycle(_translate),
    "plan": _in_a_cycle(_write_plan_anew),
    "probed": _in_a_cycle(_probe),
    "rows": _in_a_cycle(lambda play, _: play.rows_are_fetched()),
    "fetched": _in_a_cycle(_fetch),
    "checked": _in_a_cycle(lambda play, ok: play.data_is_checked(ok=ok)),
    "converted": _in_a_cycle(lambda play, _: play.data_is_converted()),
    "approve": lambda play, items: play.says(play.watcher, Approval(items=items)),
    "reject": lambda play, items: play.says(play.watcher, Rejection(items=items)),
    "react": _in_a_cycle(_react),
    "acknowledge": lambda play, _: play.says(play.watcher, Acknowledgement()),
    "talk": lambda play, about: play.says(play.developer, Talk(about=about)),
    "order": lambda play, verb: play.says(play.watcher, Order(verb=verb)),
    "operator": lambda play, name: play.operator_asks(name),
    "give up": lambda play, _: play.operator_asks("abandon", "cycle"),
    "starts": _in_a_cycle(
        lambda play, again: play.training_starts(resumed_from="checkpoints/resume" if again else None)
    ),
    "saves": _in_a_cycle(lambda play, n: play.checkpoint_is_saved(n * 50)),
    "published": _in_a_cycle(lambda play, n: play.checkpoint_is_published(n * 50)),
    "best": _in_a_cycle(lambda play, n: play.trainer_says(play.saved("best", n * 50))),
    "finds": _in_a_cycle(
        lambda play, fact: play.trainer_says(Found(at=play.later(), fact=fact, figures={"busy_share": 0.3}))
    ),
    "ends": _in_a_cycle(_job_ends),
    "silent": _in_a_cycle(_fall_silent),
    "handed_on": _in_a_cycle(_hand_on),
    "tick": lambda play, seconds: play.ticks(seconds, Gauges()),
}

TRAINED = Trained(
    epochs=500,
    first_loss=1.6,
    last_loss=0.1,
    best_loss=0.1,
    best_epoch=500,
    first_l1=0.8,
    last_l1=0.1,
    episodes=85,
    frames=25500,
)


class Watched:
    """A play that checks, at every step, what must hold between the state before and the orders after."""

    def __init__(self, play: Any) -> None:
        self.play = play
        self.trained: tuple[str, TrainingConfig] | None = None
        self.happened = play.happened
        play.happened = self.watch

    def watch(self, event: Any) -> Any:
        before = self.play.state.cycle
        effects = self.happened(event)
        for effect in effects:
            match effect:
                case Post(message=Done()):
                    assert before.run.config == before.terms.config, (
                        "DONE tells of another config than was trained"
                    )
                case StartJob(work="train"):
                    self.trains_only_what_was_approved(effect)
                case ForgetCheckpoint():
                    self.keeps_the_last_three_and_the_best(effect)
                case _:
                    pass
        return effects

    def trains_only_what_was_approved(self, order: StartJob) -> None:
        cycle = self.play.cycle
        assert isinstance(cycle.data, Admitted), "training on unchecked data"
        if isinstance(cycle.terms, Judged):  # somebody lets a held run go on before a proposal is decided
            assert (order.run, order.config) == self.trained, "an open proposal changes nothing"
            return
        assert isinstance(cycle.terms, Settled)
        assert order.config == cycle.terms.config
        if self.trained is None or self.trained[0] != order.run:
            as_it_began = now(cycle, run=Unstarted())
            assert not would_repeat(as_it_began), "the last cycle once more, and nobody means it"
        self.trained = order.run, order.config
        assert data.rule(order.config) == data.rule(cycle.data.config), "checked under another data rule"
        approved = {
            change.field
            for entry in cycle.terms.ledger
            if entry.status == "applied" and entry.approved_by
            for change in entry.changes
        }
        assert {change.field for change in diff(cycle.terms.base, order.config)} <= approved
        for entry in cycle.terms.ledger:
            silent = entry.translated and "이의 없음" in entry.approved_by
            assert not silent, "a translator's word approved by nobody"
        self.does_what_the_lessons_ask(order)

    def does_what_the_lessons_ask(self, order: StartJob) -> None:
        """What the ledger has as applied is so; and no run repeats the last one over a lesson's head."""
        cycle = self.play.cycle
        heeded = [entry for entry in cycle.terms.ledger if entry.status in {"applied", "satisfied"}]
        asked = tuple(change for entry in heeded for change in entry.changes)
        so = {change.field for change in diff(cycle.terms.base, order.config)}
        assert {
            change.field for change in diff(cycle.terms.base, ledger.changed(cycle.terms.base, asked))
        } <= so
        last = cycle.last
        would_change = [
            entry for entry in heeded if last and isinstance(judge(entry.heard.lesson, last, last), Remedied)
        ]
        assert not would_change or order.config != last, f"the same run again, in spite of {would_change}"

    def keeps_the_last_three_and_the_best(self, order: ForgetCheckpoint) -> None:
        shelf = self.play.cycle.shelf
        safe = sorted(one.epoch for one in shelf.checkpoints if one.status != "saved")
        assert order.epoch in safe, "deleting what is not verified in the bucket"
        assert order.epoch not in safe[-3:]
        assert shelf.best is None or order.epoch != shelf.best.epoch


FURTHER = tuple(lesson for lesson in LESSONS if lesson.remedy in ("chunk_size=40", "n_action_steps=40"))
"""Two orders of which the second fits only what the first makes."""


@settings(max_examples=150, deadline=None)
@given(script=moves, translator=st.booleans(), approval=st.sampled_from(("explicit", "notice")))
@example(
    script=[("onward", 1)] * 6 + [("lessons", FURTHER), ("onward", 1)], translator=False, approval="explicit"
)
def test_no_order_of_events_makes_us_train_or_delete_what_we_must_not(
    stage_class, script, translator, approval
) -> None:
    play = stage_class(Policy(operators=(300000000000000001,), translator=translator, approval=approval))
    Watched(play)
    perform(play, script)


@settings(max_examples=100, deadline=None)
@given(script=moves)
def test_nobody_s_word_goes_beyond_what_operators_allow(stage_class, script) -> None:
    play = stage_class(Policy(auto_approve=preapproved.read("lr=3e-5..1e-4, batch_size=16..64")))
    perform(play, script)
    for order in play.ordered("start_job"):
        if order.work == "train":
            assert 3e-5 <= order.config.training.lr <= 1e-4
            assert 16 <= order.config.training.batch_size <= 64


@settings(max_examples=60, deadline=None)
@given(script=moves)
def test_a_restart_between_any_two_events_changes_nothing(stage_class, script) -> None:
    policy = Policy()
    straight, reloaded = stage_class(policy), stage_class(policy)
    perform(straight, script)
    perform(reloaded, script, reload=True)
    assert reloaded.state == straight.state
    assert reloaded.effects == straight.effects


@settings(max_examples=100, deadline=None)
@given(script=moves, translator=st.booleans())
def test_every_cycle_ends_in_at_most_one_done_that_names_every_lesson(
    stage_class, script, translator
) -> None:
    play = stage_class(Policy(translator=translator))
    ledgers: dict[int, int] = {}
    happened = play.happened

    def remember(event: Any) -> Any:
        cycle = play.state.cycle
        if cycle and not isinstance(cycle.terms, Unread):
            ledgers[cycle.number] = len(cycle.terms.ledger)
        return happened(event)

    play.happened = remember
    perform(play, script)
    done = [message for message in play.posted("done") if isinstance(message, Done)]
    assert len({one.cycle for one in done}) == len(done) == len(play.posted("final_handoff"))
    assert all(len(one.lessons) == ledgers[one.cycle] for one in done)


@settings(max_examples=100, deadline=None)
@given(script=moves)
def test_no_two_processes_of_one_cycle_are_ever_ordered_at_once(stage_class, script) -> None:
    play = stage_class(Policy())
    alive: set[tuple[str, int]] = set()
    happened = play.happened

    def count(event: Any) -> Any:
        if hasattr(event, "outcome"):
            alive.discard((event.run, event.attempt))
        effects = happened(event)
        for effect in effects:
            if isinstance(effect, StartJob):
                assert not alive, f"{effect.key} while {alive} runs"
                alive.add((effect.run, effect.attempt))
        return effects

    play.happened = count
    perform(play, script)


@settings(max_examples=100, deadline=None)
@given(script=moves)
def test_nothing_is_killed_that_did_not_fall_silent_and_no_training_unasked(stage_class, script) -> None:
    play = stage_class(Policy())
    asked: set[tuple[str, int]] = set()
    happened = play.happened

    def watch(event: Any) -> Any:
        trains = play.state.cycle is not None and play.state.cycle.run.phase != "unstarted"
        effects = happened(event)
        for effect in effects:
            if isinstance(effect, KillJob):
                assert isinstance(event, JobFellSilent)
                assert effect.attempt == event.attempt
                assert not trains or (effect.run, effect.attempt) in asked
            if isinstance(effect, StopJob):
                asked.add((effect.run, effect.attempt))
        return effects

    play.happened = watch
    perform(play, script)


class Prompt:
    """A play in which a check that began ahead leaves as soon as it is asked to."""

    def __init__(self, play: Any) -> None:
        self.play = play
        self.happened = play.happened
        play.happened = self.happen

    def happen(self, event: Any) -> Any:
        effects = self.happened(event)
        if self.play.state.cycle and self.play.cycle.data.phase == "abandoning":
            run, attempt = self.play.cycle.run_name, self.play.cycle.attempts
            effects += self.happened(JobEnded(at=event.at, run=run, attempt=attempt, outcome=None))
        return effects


class Hasty(Prompt):
    """And every fetch has its rows first."""

    def happen(self, event: Any) -> Any:
        if isinstance(event, DataFetched | FetchFailed):
            self.happened(RowsFetched(at=event.at, cycle=event.cycle, coming_bytes=1))
        return super().happen(event)


@settings(max_examples=100, deadline=None)
@given(script=moves)
def test_what_is_said_is_the_same_whether_a_check_began_ahead_or_not(stage_class, script) -> None:
    in_sequence = [one for one in script if one[0] != "rows"]
    plain, hasty = stage_class(Policy()), stage_class(Policy())
    Prompt(plain)
    Hasty(hasty)
    perform(plain, in_sequence)
    perform(hasty, in_sequence)
    assert [one.model_dump() for one in hasty.posted()] == [one.model_dump() for one in plain.posted()]


@settings(max_examples=60, deadline=None)
@given(script=moves)
def test_every_reference_is_used_once(stage_class, script) -> None:
    play = perform(stage_class(Policy()), script)
    refs = [effect.message.ref for effect in play.effects if isinstance(effect, Post)]
    assert len(set(refs)) == len(refs)


@settings(max_examples=100, deadline=None)
@given(script=moves, after_s=st.sampled_from((1, 30, 59)))
def test_every_insight_is_told_once_and_within_a_minute(stage_class, script, after_s) -> None:
    play = stage_class(Policy())
    found: dict[str, set[str]] = {}
    happened = play.happened

    def watch(event: Any) -> Any:
        effects = happened(event)
        cycle = play.state.cycle
        if cycle:
            found[cycle.run_name] = {*cycle.found}
            due = insights.due_at(cycle)
            assert due is None or due > event.at, "longer than a minute"
            assert due is None or not isinstance(event, JobEnded), "it waits for nothing any more"
        return effects

    play.happened = watch
    perform(play, script)
    play.ticks(after_s)
    play.ticks(60 - after_s)
    told = [one for message in play.posted("lesson_found") for one in message.insights]
    assert len(told) == sum(len(facts) for facts in found.values())


def test_the_scripts_do_reach_the_end(stage_class) -> None:
    """Guards the laws above: a law about what never happens proves little if nothing does."""
    play = perform(stage_class(Policy()), [("onward", 4)] * 12)
    assert play.kinds().count("done") >= 2
    assert play.ordered("forget_checkpoint")
