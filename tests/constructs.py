"""The constructs of the language, and the tiny functions that show each of them."""

CONSTRUCTS = {
    "Statements": {
        "assignment, several targets, swapping": "reassign chained_assignment swap",
        "augmented assignment of numbers, elements, slices, whole arrays": (
            "augmented scale_elements fill_slice in_place_arrays"
        ),
        "unpacking, nested and with `*`": "nested_tuples starred_unpacking",
        "`if`, `elif`, `else`": "if_else elif_chain nested_if branch_defines_variable",
        "`for` over `range`": "for_step for_backwards_step for_variable_step index_after_loop",
        "`for` over arrays, by element or row": "for_over_elements for_over_rows rows_are_written",
        "`enumerate`, `zip`, `reversed`": "enumerate_elements enumerate_from enumerate_zip zip_arrays reversed_array",
        "`np.ndindex`, `np.ndenumerate`, `a.flat`": (
            "ndindex_of_shape ndindex_as_index ndindex_of_numbers ndenumerate_array loop_over_flat"
        ),
        "`prange`": "prange_loop",
        "`for` over tuples": "loop_over_tuple loop_over_active_tuple loop_over_pairs loop_over_tuple_breaks",
        "`for` over lists": "list_comprehension list_of_arrays list_grows_while_gone_over",
        "`for` over keys, values and items of dictionaries with constant keys": "dictionary_gone_over",
        "`for` over sets and other dictionaries": "loop_over_set loop_over_keys",
        "`while`": "while_newton while_counter while_in_for while_true_break",
        "`for … else`, `while … else`": "for_else loop_over_elements_breaks while_walrus_else",
        "`break`, `continue`": "loop_break nested_break loop_continue while_continue",
        "`return` anywhere": "early_return_nested loop_return loop_over_tuple_returns for_inside_while_breaks",
        "a path that ends without a value (it raises)": "ends_without_a_value_on_some_path",
        "`assert`, `raise`": "asserts raises error_branch",
        "`del` of names, `pass`": "deleted_and_printed",
        "`del` of items": "item_deleted",
        "`with np.errstate(…)`, and what else is about warnings": "quiet_blocks",
        "`import` of NumPy, SciPy and the standard library": "imports_inside imports_what_may_change",
        "`try`, other `with`": "try_statement with_statement",
    },
    "Expressions": {
        "arithmetic, powers, remainders": "add divide power_integer power_variable modulo floor_and_remainder",
        "comparisons, also chained": "chained_comparison",
        "`is` and `is not` with `None`, `True`, `False`": "none_option compared_with_false_by_identity",
        "`and`, `or`, `not`, evaluated as far as needed": "boolean_operators value_of_and_or",
        "bitwise operators": "bitwise_operators",
        "`a if test else b`": "ternary",
        "`:=`": "walrus while_walrus assigned_in_the_second_test assigned_in_a_test_that_ends_a_loop",
        "`in`, `not in`": "contained_in_tuple not_contained_in_tuple",
        "comprehensions of lists": "list_comprehension comprehension_with_condition nested_comprehension",
        "generator expressions and `map` in `sum`, `max`, `min`, `any`, `all`, `list`": (
            "generators_added_up lists_of_what_is_gone_over"
        ),
        "`isinstance`, `hasattr`, of arrays, tuples, lists": "questions_about_arguments asks_for_the_type",
        "other generator expressions, sets": "generator set_display",
        "f-strings, in errors": "error_branch",
        "`float(x)`, `int(x)`, `np.float64(x)`, `type(x)(y)`": "casts",
    },
    "Tuples, lists, other values": {
        "tuples: packing, slicing, joining, an index that varies": (
            "returns_tuple tuple_sliced tuple_joined tuple_indexed_by_variable tuple_in_loop"
        ),
        "`sum`, `max`, `min` of a tuple": "sum_and_max_of_tuple",
        "a tuple that grows in a loop": "tuple_grows",
        "named tuples": "named_tuple named_tuple_in_loop named_tuple_from_branch named_tuple_through_call",
        "lists of numbers: literals, `append`, `pop`, `extend([a, b])`, items, `sum`, `if items:`": (
            "list_literal list_append list_written list_popped items_dropped_from_a_list list_repeated sum_of_list typed_list"
        ),
        "lists sliced, joined, extended by other lists": "list_sliced lists_joined list_extended",
        "loops over parts of lists": "parts_of_lists part_of_a_list_that_is_written",
        "lists chosen or made anew in branches and loops": (
            "list_chosen_and_written list_rebuilt_in_a_loop list_passed_on lists_made_in_iterations"
        ),
        "captured lists of numbers": "captured_lists",
        "lists of arrays": "list_of_arrays history_in_a_list array_in_a_list_is_written history_whose_items_are_replaced array_repeated_in_a_list last_item_used_after_the_list_has_grown",
        "an array that is in a list and written under another name": "array_in_a_list_has_another_name array_in_a_list_is_scaled_in_place",
        "lists of tuples: displays, comprehensions, `append`, `pop`, items, `for`, `len`, `if items:`": (
            "stack_of_intervals tuples_of_arrays_in_a_list"
        ),
        "lists of lists (only inside `np.array`)": "array_of_rows list_of_lists",
        "integers, strings, dictionaries, complex numbers that carry no derivative": (
            "counted_in_integers string_option dictionary_of_integers complex_constant"
        ),
        "complex numbers": "complex_state",
        "functions of real numbers of them": "complex_maximum spread_of_complex_numbers",
        "dictionaries with constant keys that are only read, also captured ones": "dictionary_of_floats captured_dictionary",
        "derivatives through other dictionaries": "stored_in_a_dictionary",
        "dataclasses and named tuples, with methods, `_replace`, `dataclasses.replace`": "dataclass_with_a_method fields_replaced",
        "options that are None": "none_option",
        "variables that are None on one path only": "none_at_first returns_none_on_one_path",
    },
    "Arrays": {
        "elements of arrays of 1 to 6 axes": "element element_2d element_3d six_axes",
        "slices, steps, negative indices": "slices rows_and_columns strided_new_axis reversed_enumerated_slice",
        "`...`, `np.newaxis`": "ellipsis_index ellipsis_write new_axis",
        "arrays of integers as index, also with repetition": (
            "integer_array_index integer_array_index_of_rows integer_array_index_of_columns "
            "write_at_integer_array write_at_repeated_index add_at_integer_array places_in_a_list added_at_places"
        ),
        "masks of one axis": "boolean_mask boolean_mask_of_rows mask_is_filled mask_is_scaled",
        "masks of several axes": "mask_of_matrix",
        "index arrays apart from each other": "index_arrays_apart",
        "writing elements, slices, arguments": "write_elements write_slice write_argument",
        "`out=`, `where=` with `out=`, `fill`": "out_argument elements_left_out_by_where fill_method",
        "`np.copyto`": "copied_into",
        "`sort` in place, `a.flat[k]`": "sorted_in_place_and_flat",
        "`shuffle` in place": "shuffled",
        "products of arrays of several types": "products_of_several_types",
        "reshaping of what was transposed or sliced, and is not written": (
            "reshaped_after_transposing reshaped_and_written"
        ),
        "views, views of views, two names for one array": (
            "view_is_written view_of_a_view two_names_for_one_array array_passed_twice added_to_its_own_reverse"
        ),
        "arrays swapped or made anew in loops": "arrays_swapped_in_loop buffers_swapped_in_loop rebound_to_new_arrays",
        "reading an argument that was written": "written_after_use used_between_writes written_argument_is_returned",
        "an array that may be one of several, written under all names": "ambiguous_array accepted_step smoother rows_taken_in_turn",
        "arrays and numbers first assigned in a loop": "product array_product different_forms literal_first_assigned_in_a_loop",
        "a result that may be an array or a copy of it, and is written": "array_itself_or_a_copy",
        "layouts C, F, strided": "transpose f_ordered strided_new_axis",
        "allocation, shapes": "allocate_like shapes reshape ravel_and_copy arrays_of_arrays",
        "`a.dtype.type(x)`": "numbers_of_the_type_of_an_array",
        "lists written to parts of arrays": "lists_written_to_parts_of_arrays",
        "putting arrays together": "concatenated concatenated_along_an_axis stacked arrays_of_a_list_joined "
        "numbers_before_an_array",
        "writing a captured array": "writes_captured_array",
        "writing one of several captured arrays that share memory": "writes_overlapping_captured_arrays",
    },
    "Functions": {
        "Python functions, `@njit` functions": "call_function call_dispatcher call_that_writes",
        "nested functions, closures, lambdas": (
            "local_function closure_of_closure closure_sees_later_values closure_default_is_of_its_definition"
        ),
        "functions as arguments, chosen by constants": "function_passed_on function_chosen_by_constant",
        "defaults, keywords, `*args`, `f(*t)`": "default_arguments variable_arguments starred_call pairs_spread_in_calls",
        "`f(**d)`, `f(*array)`": "spread_dictionary spread_array",
        "functions that remember, by `functools.cache`": "helpers_that_remember",
        "functions of numbers under `numba.vectorize`": "vectorized_functions",
        "recursion, also mutual, that returns numbers in a tuple": (
            "recursive_power recursive_tree recursive_over_array mutual_recursion recursive_pair counted_recursion"
        ),
        "recursion that writes whole numbers and puts them back": "minors_by_linked_columns",
        "recursion that returns arrays in tuples, writes floats, or in a nested function": (
            "recursive_with_arrays_in_a_tuple recursive_that_writes recursive_that_appends recursive_closure"
        ),
        "branches on `x.ndim` and on `x is None`": "branch_on_the_number_of_axes none_option",
        "derivatives called inside, or made there": "hessian_inside gradient_of_a_tuple_inside gradient_made_inside",
        "`jvp`, `vjp`, `linearize` inside": "products_inside",
        "derivatives of builtin functions, pullbacks read in other functions": (
            "gradient_of_a_builtin_inside pullback_read_inside"
        ),
    },
    "Functions without a slope": {
        "`floor`, `//`, `round`, `int`": "piecewise_constant floor_and_remainder casts",
        "`argmax`, `argsort`, `searchsorted`": "argmax_of_values index_from_argsort search_sorted",
    },
}
