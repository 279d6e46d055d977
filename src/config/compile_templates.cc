#include "config/compile_templates.h"

#include <algorithm>
#include <map>

#include "config/text.h"

namespace trunkline::config {
namespace {

using Template = policy::TextTemplate;

constexpr std::size_t kTemplatesMax = 200;

class TemplateCompiler {
 public:
  TemplateCompiler(const Value& tenant, const References& refer,
                   std::span<const policy::ClassRules> classes, policy::Tenant& rules,
                   Findings& findings)
      : tenant_(tenant), refer_(refer), classes_(classes), rules_(rules), findings_(findings) {}

  void templates() {
    const Value& list = tenant_.at("templates");
    if (list.items.size() > kTemplatesMax) {
      error(list, fmt::format("{} templates; {} is the most", list.items.size(), kTemplatesMax),
            "leave out those that are not used");
    }
    std::map<std::string, const Value*> names;
    for (const Value& item : list.items) {
      if (item.bad || item.fields.empty()) continue;
      const Value& name = item.at("name");
      if (!names.try_emplace(name.text(), &name).second && !name.text().empty()) {
        error(name, fmt::format("{} is given twice", quote(name.text())), "give each its own name");
      }
      if (auto made = read(item)) rules_.templates.push_back(std::move(*made));
    }
  }

  void otp(bool demo) {
    const Value& value = tenant_.at("otp");
    const std::string templates = value.bad ? "" : value.at("templates").text();
    rules_.otp_templates = templates.empty() ? !demo : templates == "required";
    const Value& otherwise = value.at("otherwise");
    if (otherwise.has_value()) rules_.otp_otherwise = other_class(otherwise);
  }

 private:
  void error(const Value& at, std::string what, std::string remedy) {
    findings_.error(at.mark, at.path, std::move(what), std::move(remedy));
  }

  bool is_otp(message::ClassIndex index) const {
    return index.at() < classes_.size() && classes_[index.at()].kind == message::ClassKind::otp;
  }

  // A class the tenant may send; none after an error.
  message::ClassIndex class_of(const Value& at) {
    const message::ClassIndex index = refer_.traffic_class(at);
    if (index.is_none() || (rules_.classes >> index.at() & 1) != 0) return index;
    error(at, fmt::format("{} is not among the tenant's classes", quote(at.text())),
          "add it to classes, or choose one of them");
    return {};
  }

  message::ClassIndex other_class(const Value& at) {
    const message::ClassIndex index = class_of(at);
    if (index.is_none() || !is_otp(index)) return index;
    error(at, fmt::format("class {} is for one-time passwords, too", quote(at.text())),
          "name a class of another kind, or leave it out");
    return {};
  }

  std::optional<Template> read(const Value& item) {
    std::vector<Template::Field> fields;
    bool sound = !item.at("body").bad && !item.at("fields").bad;
    for (const Value& field : item.at("fields").items) {
      sound = sound && !field.bad;
      for (const auto kind : {Template::FieldKind::text, Template::FieldKind::code,
                              Template::FieldKind::number, Template::FieldKind::link}) {
        if (policy::name(kind) == field.text()) fields.push_back({field.name, kind});
      }
    }
    if (!sound || item.at("body").text().empty()) return std::nullopt;
    auto made = Template::parse(item.at("body").text(), fields);
    if (!made) {
      error(item.at("body"), made.error(),
            "name each {{field}} of the text under fields, with its kind");
      return std::nullopt;
    }
    made->name = item.at("name").text();
    const Value& traffic_class = item.at("class");
    if (!traffic_class.has_value()) return std::move(*made);
    made->traffic_class = class_of(traffic_class);
    if (!made->traffic_class.is_none() && is_otp(made->traffic_class) &&
        made->has(Template::FieldKind::link)) {
      error(item.at("fields"), "a one-time password has no link but what its text says itself",
            "write the link into the body, or choose another class");
    }
    return std::move(*made);
  }

  const Value& tenant_;
  const References& refer_;
  const std::span<const policy::ClassRules> classes_;
  policy::Tenant& rules_;
  Findings& findings_;
};

}  // namespace

void compile_templates(const Value& value, const References& refer,
                       std::span<const policy::ClassRules> classes, bool demo,
                       policy::Tenant& rules, Findings& findings) {
  TemplateCompiler compiler(value, refer, classes, rules, findings);
  compiler.templates();
  compiler.otp(demo);
}

}  // namespace trunkline::config
