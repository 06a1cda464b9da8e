"""The 67 forms of Python: what becomes of each, and the random constructs and golden cases that show it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Form:
    """A form of Python. `random` names constructs of the generator, the other two folders of `fixtures/`.

    `becomes` says what the compiler makes of it; where that has a limit, a refused case shows it.
    """

    title: str
    becomes: str
    random: str = ""
    cases: str = ""
    refused: str = ""

    @property
    def state(self) -> str:
        """In one or two words: whether it compiles."""
        if not self.cases:
            return "refused"
        return "compiles, with limits" if self.refused else "compiles"


_ALL = (
    Form(
        "`x = await leaf(a)`, a bare `await`",
        "`wf.activity`: a step with a recorded result",
        "async-leaf expression-statement",
        "sequence sequence_repeated_leaf activity_decorator",
    ),
    Form(
        "a call of a `def` leaf",
        "an awaited `wf.activity`, in `async def` and `def` workflows",
        "sync-leaf sync-workflow",
        "sync_leaves_in_async sync_workflow",
    ),
    Form(
        "a coroutine that nobody awaits",
        "FLP101, with the `await` that is missing",
        refused="refused_missing_await refused_dropped_coroutine refused_missing_await_in_condition",
    ),
    Form(
        "`t = leaf(); ...; await t`",
        "the call begins where it is awaited, as in Python",
        "deferred-await",
        "deferred_await",
    ),
    Form(
        "nested awaits, chained calls and comparisons",
        "Python's order; each call has an id",
        "leaf comparison-chain",
        "await_in_arguments chained_comparison evaluation_order binary_operators",
    ),
    Form(
        "`if`, `elif`, `else`",
        "native; the outcome is recorded where an arm is durable",
        "if elif else",
        "if_elif_else if_nested",
    ),
    Form("a conditional expression", "native, only the arm that is taken runs", "ternary", "ternary"),
    Form("`and`, `or`, `not`", "native, short circuit included", "and or not", "boolean_operators"),
    Form(
        "`match`, every pattern, guards",
        "native; the arm is recorded",
        "match match-or match-guard match-wildcard match-sequence match-class match-as match-star "
        "match-value",
        "match_values match_structures match_guards match_in_for_in_try",
    ),
    Form(
        "`for` over data",
        "`wf.each`: a scope for each item, fast-forwarded on a resume",
        "for enumerate zip dict-items long-for loop-rebinds-name loop-variable-after",
        "for_loop loop_forms loop_target_forms long_loop empty_loop_unbound",
    ),
    Form(
        "`else`, `break`, `continue`, `return` in loops",
        "native",
        "for-else break continue return",
        "for_else_break for_continue_return nested_loops_break",
    ),
    Form(
        "`for` over a generator or an iterator",
        "native if it is pure, also if only a part is consumed",
        "for-generator shared-iterator",
        "iterators_shared loop_forms",
        "refused_async_for",
    ),
    Form(
        "changing what a loop goes over",
        "native for a list; in other ways FLP206",
        "changed-while-iterated",
        "loop_changes_items",
        "refused_changed_while_iterated",
    ),
    Form(
        "`async for`",
        "native over plain asynchronous generators; over effects FLP205",
        "async-for",
        "async_for_plain",
        "refused_async_for",
    ),
    Form(
        "`while`, `else`",
        "`wf.repeat`",
        "while while-else while-walrus",
        "while_loop while_else walrus_pagination",
    ),
    Form("`while True`", "`wf.repeat`; what is complete is not replayed", "while-true", "while_true"),
    Form(
        "`try`, `except`, `else`, `finally`",
        "native; a leaf's error has its type, live and replayed",
        "try except except-tuple try-else finally",
        "try_except try_else_finally try_nested except_variable except_in_loop errors_of_plain_code",
    ),
    Form(
        "`except*`, groups",
        "native",
        "try-star except-star-clause try-star-else try-star-finally",
        "except_group task_errors",
    ),
    Form(
        "`return`, `raise`, `break`, `await` in `finally`",
        "native",
        "return-in-finally raise-in-finally break-in-finally",
        "try_return_in_finally finally_around_loop",
    ),
    Form("`raise`, `raise ... from`", "native", "raise re-raise", "raise_from"),
    Form(
        "`with`",
        "native for managers without effects; a resource is FLP303",
        "with-suppress with-nullcontext",
        "with_pure_managers with_plain_code",
        "refused_resource",
    ),
    Form(
        "`async with`",
        "asyncio's own and plain managers; a resource is FLP303",
        "async-with",
        "with_plain_code task_group locks_and_events wait_for_and_timeout",
        "refused_async_with",
    ),
    Form(
        "a nested `async def` with durable calls",
        "a part of the run, with a scope of its own",
        "helper helper-call helper-arm",
        "nested_helpers helper_recursion helper_chosen helper_default_arguments",
        "refused_helper_escapes",
    ),
    Form(
        "a nested `def`",
        "pure ones as they are; in a `def` workflow durable too",
        "pure-helper",
        "nested_sync_helper helper_chosen_sync",
    ),
    Form(
        "`lambda`",
        "pure ones as they are",
        "lambda lambda-value",
        "lambdas_beside functions_as_arguments callbacks",
        "refused_leaf_in_lambda",
    ),
    Form(
        "closures over a workflow's variables",
        "native, also where loops carry what they hold",
        "nonlocal lambda-value",
        "closures_in_loop carried_by_closure",
    ),
    Form(
        "list, set and dict comprehensions with awaits",
        "a comprehension over `wf.each`",
        "list-comprehension set-comprehension dict-comprehension leaf-iterable",
        "comprehensions comprehensions_nested comprehensions_with_conditions comprehension_in_loop",
    ),
    Form(
        "a comprehension of coroutines in `gather`",
        "`wf.parallel`, an arm for each item",
        "gather-fan-out-list gather-fan-out-generator",
        "gather_map generator_in_gather gather_sequences",
    ),
    Form(
        "a generator expression",
        "pure ones as they are; one with an `await` is FLP604: it would run at a time nobody can name",
        "generator-expression",
        "generator_in_gather",
        "refused_generator_expression",
    ),
    Form(
        "`:=`", "native, everywhere", "walrus walrus-comprehension while-walrus", "walrus walrus_pagination"
    ),
    Form(
        "`x += await f()`",
        "native: `x` is read first",
        "augmented-assign augmented-item",
        "augmented_assignment augmented_walrus",
    ),
    Form(
        "unpacking, stars, chained assignment, items, attributes",
        "native",
        "unpack starred-target chained-assign swap subscript",
        "assignments subscripts starred_arguments",
    ),
    Form("f-strings", "native, awaits included", "f-string", "format_strings format_strings_nested"),
    Form(
        "`await asyncio.gather(a(), b())`",
        "`wf.parallel`",
        "gather-fixed gather-unpacked gather-return-exceptions tasks-then-gather",
        "gather_fixed gather_nested gather_errors gather_in_try gather_awaited_later",
    ),
    Form(
        "`asyncio.TaskGroup`",
        "asyncio's own, in the run's event loop",
        "task-group",
        "task_group task_groups_in_loops",
    ),
    Form(
        "`create_task`, `ensure_future`",
        "asyncio's own; of a leaf or workflow that nobody awaits, a run of its own: `wf.forget`",
        "create-task task-cancel shield forgotten-task",
        "create_task task_cancel tasks_in_collections tasks_in_helpers task_never_awaited "
        "detach_forget_idiom",
        "refused_task_misuse",
    ),
    Form(
        "`wait_for`, `timeout`",
        "asyncio's own, with a durable timer",
        "wait-for timeout",
        "wait_for_and_timeout timeouts_nested timeouts_in_loops",
    ),
    Form(
        "`wait`, `as_completed`, races",
        "asyncio's own; the order of completion is that of the log",
        "wait as-completed race parallel",
        "asyncio_wait race_and_parallel race_errors",
    ),
    Form("`asyncio.sleep`", "`wf.sleep`: a durable timer", "sleep", "asyncio_sleep sleep_durations"),
    Form("`time.sleep`", "`wf.sleep` that holds up all arms", "time-sleep", "time_sleep time_sleep_in_arms"),
    Form(
        "locks, semaphores, queues, events, conditions",
        "asyncio's own",
        "semaphore queue",
        "locks_and_events semaphore queue_workers producer_consumer",
        "refused_lock_at_import refused_call_later",
    ),
    Form(
        "threads, executors, processes",
        "FLP309: make it a leaf",
        refused="refused_thread refused_executor",
    ),
    Form("waiting for an event", "`wf.wait`, with a mailbox", cases="wait_for_event wait_for_in_loop"),
    Form(
        "`global`, written",
        "FLP403",
        refused="refused_global_write refused_global_in_helper refused_module_mutation",
    ),
    Form("`nonlocal`", "native", "nonlocal", "nonlocal_state nonlocal_in_loops"),
    Form(
        "`del`",
        "native; unbound after it, also on a resume",
        "del del-item",
        "delete delete_after_loop delete_before_call",
    ),
    Form("`assert`", "native", "assert", "assert_and_pass"),
    Form("`yield`", "FLP602: a workflow is no generator", refused="refused_yield"),
    Form(
        "classes in a workflow, dataclasses, enums",
        "native",
        "class dataclass enum",
        "data_types methods_of_data",
    ),
    Form(
        "decorators",
        "those of leaves and helpers; one around a workflow is FLP104",
        "decorated",
        "annotations_and_decorators decorated_leaf pass_through_module",
        "refused_decorator",
    ),
    Form(
        "a workflow that calls a workflow",
        "a part of this run",
        "sub-workflow workflow-arm",
        "workflow_calls_workflow workflows_in_gather",
        "refused_workflow_in_helper",
    ),
    Form("recursion", "a scope for each level", "recursion", "recursion mutual_recursion helper_recursion"),
    Form(
        "a method as a leaf",
        "`wf.activity` where the receiver is known, else FLP106",
        "method-leaf method-changes pure-method",
        "method_leaf methods_that_change bound_methods",
        "refused_unresolved_method",
    ),
    Form(
        "aliases, `import a.b as c`, `f = m.f`",
        "resolved over the whole program",
        "function-value alias",
        "conditional_callee imports_across_modules shadowed_builtins",
        "refused_unresolved_call",
    ),
    Form(
        "a function from a table, `getattr`, `partial`",
        "resolved where every candidate is known, else FLP106",
        "function-table function-loop getattr partial",
        "function_tables leaf_from_table helper_in_containers saga_of_functions",
        "refused_unclear_function refused_mixed_choice",
    ),
    Form(
        "arguments of every shape",
        "native",
        "leaf-keyword leaf-starred leaf-double-starred",
        "leaf_keywords_and_defaults starred_arguments",
    ),
    Form(
        "an import in a function",
        "native where the import has no effects",
        "local-import",
        "imports_across_modules",
    ),
    Form(
        "`from x import *`",
        "FLP109 in a module with a workflow: names unknown",
        refused="refused_star_import",
    ),
    Form(
        "annotations, generics, `type`",
        "kept",
        "annotated-assign",
        "annotations_and_decorators type_parameters",
    ),
    Form("`print`, `logging`", "written once, not once a resume", "print logging", "printing logging_output"),
    Form("`exec`, `eval`, `locals`, frames", "FLP605", refused="refused_exec refused_locals"),
    Form("`sys.exit`, `input`, `breakpoint`", "FLP605", refused="refused_exit refused_input"),
    Form(
        "`super()`, `__class__`, mangled names", "native", "class", "super_and_private_names methods_of_data"
    ),
    Form(
        "clock, random numbers, uuids, environment",
        "recorded once; other effects outside of leaves are refused",
        cases="recordables",
        refused="refused_identity",
    ),
    Form("unreachable code, no `return`", "native", "unreachable", "assert_and_pass implicit_none"),
    Form(
        "`detach_and_join_later`, `detach_and_forget`",
        "a run of its own, and a durable handle; in a loop the handle is in no snapshot",
        "detach-and-forget detach-and-join handle-wait handle-status handles-in-list",
        "detach_named detach_in_loop detach_workflow_child",
        "refused_detach",
    ),
    Form(
        "`work`, `for_each`, `tap`, `wait_for_work`",
        "side chains in this run; their failures stay theirs, its end waits for them",
        "work for-each tap wait-for-work",
        "side_chains side_chains_in_loops side_nested",
        "refused_side_chains",
    ),
)

FORMS = dict(enumerate(_ALL, start=1))
