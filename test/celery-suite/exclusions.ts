const INSIDE = "looks inside the worker's own Python process";
const TWICE = "runs a task twice under one id and waits for both effects; a lease lets it happen once";
const ITS_OWN = "starts Celery's own worker, or makes one in its own process";

/** Tests of Celery's suite that are not run, by file and name, each with the reason. docs/celery-suite.md lists the same. */
export const EXCLUDED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "test_tasks.py": {
    "test_tasks::test_send_task_without_ignore_result_uses_task_ignore_result": `${INSIDE}: waits for its \`successful_requests\``,
    "test_tasks::test_send_task_without_ignore_result_stores_result": `${INSIDE}: waits for its \`successful_requests\``,
    "test_task_redis_result_backend::test_retry_preserves_ignore_result_false": `${INSIDE}: waits for its \`successful_requests\``,
    "test_task_redis_result_backend::test_retry_preserves_ignore_result_true": `${INSIDE}: waits for its \`successful_requests\``,
    "test_tasks::test_revoked_by_headers_simple_canvas": `${INSIDE}: clears its \`revoked_stamps\` between two tasks with one stamp`,
    "test_trace_log_arguments::test_task_success": `${INSIDE}: reads its log records`,
    "test_trace_log_arguments::test_task_failed": `${INSIDE}: reads its log records`,
    "test_task_replacement::test_replaced_task_nesting_level_0": `${INSIDE}: waits for its signal \`task_received\``,
    "test_task_replacement::test_replaced_task_nesting_level_1": `${INSIDE}: waits for its signal \`task_received\``,
    "test_task_replacement::test_replaced_task_nesting_chain": `${INSIDE}: waits for its signal \`task_received\``,
    "test_signal_bound_method_receivers::test_each_instance_receives": `${INSIDE}: waits for its signal \`task_received\``,
    "test_signal_bound_method_receivers::test_disconnect_leaves_other_instance_connected": `${INSIDE}: waits for its signal \`task_received\``,
    "test_signal_bound_method_receivers::test_other_instance_receives_after_garbage_collection": `${INSIDE}: waits for its signal \`task_received\``,
  },
  "test_inspect.py": {
    "test_Inspect::test_stats": `${INSIDE}: compares the worker's process id with its own`,
    "test_Inspect::test_hello_stamps_received_revoked_ids_locally": `${INSIDE}: reads its set of revoked ids`,
  },
  "test_canvas.py": {
    "test_chord::test_reapplying_frozen_chord_dispatches_body_again": TWICE,
    "test_chain::test_chord_header_id_duplicated_on_rabbitmq_msg_duplication[redis-group-ids]": TWICE,
    "test_chord::test_nested_chord_header_link_error":
      "expects that the outer of two chords never ends when the inner one fails; here its body fails too, and calls its error callback",
    "test_chain::test_groupresult_serialization":
      "a task returns the `AsyncResult` of a chain that it sends; a task in TypeScript has its id",
    "test_stamping_mechanism::test_stamping_workflow": `${INSIDE}: listens to its signal \`task_received\``,
    "test_stamping_mechanism::test_task_received_has_access_to_stamps": `${INSIDE}: waits for its signal \`task_received\``,
    "test_stamping_mechanism::test_all_tasks_of_canvas_are_stamped": `${INSIDE}: listens to its signal \`task_received\``,
    "test_stamping_mechanism::test_replace_merge_stamps": `${INSIDE}: listens to its signal \`task_received\``,
    "test_stamping_mechanism::test_linking_stamped_sig": `${INSIDE}: waits for its signal \`task_received\``,
    "test_stamping_mechanism::test_err_linking_stamped_sig": `${INSIDE}: waits for its signal \`task_received\``,
    "test_stamping_mechanism::test_stamps_remain_on_task_retry": `${INSIDE}: listens to its signal \`task_received\``,
  },
  "test_worker.py": {
    test_run_worker: ITS_OWN,
    test_django_fixup_direct_worker: ITS_OWN,
    test_django_fixup_installs_django_task_for_celery_subclass: ITS_OWN,
    test_django_fixup_signals_only_handled_by_own_app: ITS_OWN,
    test_concurrency_auto_sizes_prefork_pool: ITS_OWN,
  },
  "test_serialization.py": { "test_config_serialization::test_accept": ITS_OWN },
};

/** `file::name` of each. */
export const excludedIds = (): readonly string[] =>
  Object.entries(EXCLUDED).flatMap(([file, tests]) => Object.keys(tests).map((test) => `${file}::${test}`));
