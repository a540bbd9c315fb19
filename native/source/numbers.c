/* The number that a value of the application says. */

#include "core.h"

/* Return 1 and the number of an exact int or float, else 0. Runs no Python code. */
int
plain_number(PyObject *value, double *number)
{
    if (PyFloat_CheckExact(value)) {
        *number = PyFloat_AsDouble(value);
        return 1;
    }
    if (!PyLong_CheckExact(value)) {
        return 0;
    }
    *number = PyLong_AsDouble(value);
    if (*number == -1.0 && PyErr_Occurred()) { /* larger than any double */
        PyErr_Clear();
        return 0;
    }
    return 1;
}

/* Return 1 and the float that `convert` makes of a value of any type; 0 if it makes none; -1 for
   an exception. */
int
convert_number(PyObject *convert, PyObject *value, PyObject **converted, double *number)
{
    *converted = PyObject_CallFunctionObjArgs(convert, value, NULL);
    if (*converted == NULL) {
        return -1;
    }
    if (plain_number(*converted, number)) {
        return 1;
    }
    Py_CLEAR(*converted);
    return 0;
}
