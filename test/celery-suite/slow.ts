/** Tests that wait for more than a minute each, for what must not come; `npm test` leaves them to `npm run test:celery`. */
export const SLOW: readonly string[] = [
  "test_canvas.py::test_chord::test_enabling_flag_allow_error_cb_on_chord_header",
  "test_canvas.py::test_chord::test_disabling_flag_allow_error_cb_on_chord_header",
  "test_canvas.py::test_chord::test_flag_allow_error_cb_on_chord_header_on_upgraded_chord",
];
