#include "config/schema_templates.h"

namespace trunkline::config {
namespace {

constexpr std::string_view kFieldKinds[] = {"text", "code", "number", "link"};
constexpr std::string_view kRequired[] = {"required", "not_required"};

constexpr Field kTemplateFields[] = {
    {.key = "name",
     .kind = Kind::name,
     .required = true,
     .doc = "What a request calls it; unique in the tenant."},
    {.key = "class",
     .kind = Kind::reference,
     .absent = "any that the tenant may send",
     .doc = "Of messages made from it, whether they say so or not."},
    {.key = "body",
     .kind = Kind::text,
     .required = true,
     .min = "1",
     .max = "2000",
     .doc = "The text. `{{name}}` stands for a field."},
    {.key = "fields",
     .kind = Kind::choice,
     .many = Many::map,
     .absent = "it has none",
     .choices = kFieldKinds,
     .doc = "What stands in it. `code`: 4 to 10 letters and digits. `number`: 1 to 15 digits, with "
            "points and commas between. `text`: 1 to 60 characters on one line, no link. `link`: "
            "`https://` and up to 200 characters; not for one-time passwords."},
};

constexpr Field kOtpFields[] = {
    {.key = "templates",
     .kind = Kind::choice,
     .absent = "`required`; `not_required` in a demonstration (`demo: true`)",
     .choices = kRequired,
     .doc = "`required`: each must be one of the tenant's `templates` that has a field of the kind "
            "`code`: made from it, or its very text."},
    {.key = "otherwise",
     .kind = Kind::reference,
     .absent = "it is refused",
     .doc = "The class it is sent with instead if it is none; one of the tenant's `classes`, not "
            "for one-time passwords."},
    {.key = "per_number",
     .kind = Kind::integer,
     .absent = "10 where templates are required, else no limit",
     .min = "0",
     .max = "1000000",
     .doc =
         "The most of them to one number in an hour (from the full hour on, in UTC); beyond, the "
         "answer is 429. 0: no limit."},
};
}  // namespace

constinit const Shape kTemplateShape{"template", "tenants[].templates[]", kTemplateFields,
                                     "A text with fields."};
constinit const Shape kOtpShape{"otp", "tenants[].otp", kOtpFields,
                                "What one-time passwords have to be."};

}  // namespace trunkline::config
